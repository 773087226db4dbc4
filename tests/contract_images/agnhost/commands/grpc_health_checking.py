"""A gRPC server that is healthy until a time, or until it is told otherwise over HTTP."""

import time
from collections.abc import Callable, Sequence

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.grpc_server import INVALID_ARGUMENT, NOT_FOUND, OK, UNIMPLEMENTED, Outcome, serve
from contract_images.agnhost.logs import log
from contract_images.agnhost.web import Reply, Request, Server, listen, pair

_SERVING, _NOT_SERVING = 1, 2


def run(arguments: Sequence[str]) -> int:
    """Serve on two ports."""
    flags = Flags(
        arguments,
        {
            "port": 5000,
            "http-port": 8080,
            "delay-unhealthy-sec": -1,
            "service": "",
            "tls-cert-file": "",
            "tls-private-key-file": "",
        },
    )
    health = Health(flags.text("service"), flags.number("delay-unhealthy-sec"))
    Server(health.routes, listen(flags.number("http-port"))).start()
    log(f"Http server starting to listen on :{flags.number('http-port')}")
    certificate = flags.text("tls-cert-file")
    tls = pair(certificate, flags.text("tls-private-key-file")) if certificate else None
    log(f"gRPC server starting to listen on :{flags.number('port')}")
    serve(listen(flags.number("port")), health.answer, tls)
    return 1


class Health:
    """How well the service is."""

    def __init__(self, service: str, until: int, now: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._until = until
        self._now = now
        self._started = now()
        self._forced: bool | None = None

    @property
    def routes(self) -> dict[str, Callable[[Request], Reply]]:
        """The table for the HTTP server."""
        return {
            "/make-serving": lambda _: self._force(healthy=True),
            "/make-not-serving": lambda _: self._force(healthy=False),
        }

    def _force(self, *, healthy: bool) -> Reply:
        log(f"Mark as {'healthy' if healthy else 'unhealthy'}")
        self._forced = healthy
        return Reply(f"{self._now() - self._started:.9f}s")

    def answer(self, method: str, message: bytes) -> Outcome:
        """What a call gets."""
        if method != "/grpc.health.v1.Health/Check":
            return UNIMPLEMENTED, b"unimplemented"
        log("Serving the Check request for health check")
        try:
            service = _first_text(message)
        except (IndexError, ValueError):
            return INVALID_ARGUMENT, b"malformed request"
        if service != self._service:
            return NOT_FOUND, b"unknown service"
        ill = self._until >= 0 and self._now() - self._started >= self._until
        if self._forced is False or ill:
            return OK, bytes([0x08, _NOT_SERVING])
        return OK, bytes([0x08, _SERVING])


def _first_text(message: bytes) -> str:
    """The first field of a message that has no other, and that one is text."""
    if not message:
        return ""
    if message[0] != 0x0A:
        raise ValueError("not the first field")
    length, at, shift = 0, 1, 0
    while True:
        length |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not message[at - 1] & 0x80:
            return message[at : at + length].decode()
