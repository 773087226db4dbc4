"""A server that is well for ten seconds, and ill from then on; other paths misbehave as their parameters say."""

import os
import time
from collections.abc import Callable, Iterator, Sequence

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.web import Disconnect, Reply, Request, Server, listen

_WELL = 10.0


def run(arguments: Sequence[str]) -> int:
    """Serve on port 8080."""
    Flags(arguments, {})
    Server(routes(time.monotonic()), listen(8080)).serve()
    return 1


def routes(started: float, now: Callable[[], float] = time.monotonic) -> dict[str, Callable[[Request], Reply]]:
    """The paths; health goes by how long after `started` it is asked."""

    def healthz(request: Request) -> Reply:
        seconds = now() - started
        return Reply(f"error: {seconds}", 500) if seconds > _WELL else Reply("ok")

    def age(request: Request) -> Reply:
        return Reply(f"{now() - started:.9f}s")

    return {
        "/started": age,
        "/healthz": healthz,
        "/redirect": _redirect,
        "/sleep-headers": _sleep_headers,
        "/sleep-body": _sleep_body,
        "/slow-response": _slow_response,
        "/disconnect-headers": _disconnect,
        "/disconnect-body": _disconnect_body,
    }


def _redirect(request: Request) -> Reply:
    return Reply(status=302, headers={"Location": request.query("loc")})


def _parameter(request: Request, name: str, otherwise: int) -> int:
    return int(request.query(name) or otherwise)


def _kilobytes(count: int, between: int) -> Iterator[bytes]:
    for _ in range(count):
        time.sleep(between)
        yield os.urandom(512).hex().encode()


def _sleep_headers(request: Request) -> Reply:
    seconds = _parameter(request, "time", 0)
    time.sleep(seconds)
    body = f"Slept for {seconds} secs\n".encode() + b"".join(_kilobytes(_parameter(request, "size", 0), 0))
    return Reply(body, _parameter(request, "code", 500))


def _sleep_body(request: Request) -> Reply:
    seconds = _parameter(request, "time", 0)

    def pieces() -> Iterator[bytes]:
        yield from _kilobytes(_parameter(request, "size", 0), _parameter(request, "interval", 0))
        yield f"Sleeping for {seconds} secs\n".encode()
        time.sleep(seconds)
        yield f"Slept for {seconds} secs\n".encode()

    return Reply(pieces(), _parameter(request, "code", 500))


def _slow_response(request: Request) -> Reply:
    pieces = _kilobytes(_parameter(request, "size", 0), _parameter(request, "interval", 0))
    return Reply(pieces, _parameter(request, "code", 500))


def _disconnect(request: Request) -> Reply:
    raise Disconnect


def _disconnect_body(request: Request) -> Reply:
    def pieces() -> Iterator[bytes]:
        yield from _kilobytes(_parameter(request, "size", 0), 0)
        yield b"Disconnecting\n"
        raise Disconnect

    return Reply(pieces(), _parameter(request, "code", 500), {"Content-Length": "1048576"})
