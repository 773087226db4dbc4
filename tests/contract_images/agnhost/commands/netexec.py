"""An HTTP and a UDP server that tell who they are and who asks, run commands, dial others, and end when told to."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from urllib.parse import quote

from contract_images.agnhost.fetch import fetch
from contract_images.agnhost.flags import Flags, duration
from contract_images.agnhost.logs import log
from contract_images.agnhost.web import Reply, Request, Server, error, listen, pair
from contract_images.agnhost.wording import as_json, quoted

_SHELL = "/bin/sh"
_UPLOADS = Path("/uploads")
_NUMBERS = count(1)


def run(arguments: Sequence[str]) -> int:
    """Serve until told to end."""
    flags = Flags(
        arguments,
        {
            "http-port": 8080,
            "udp-port": 8081,
            "sctp-port": -1,
            "tls-cert-file": "",
            "tls-private-key-file": "",
            "http-override": "",
            "udp-listen-addresses": "",
            "delay-shutdown": 0,
        },
    )
    netexec = Netexec(flags.text("http-override"))
    if flags.number("udp-port") != -1:
        for address in sorted({*flags.text("udp-listen-addresses").split(",")}):
            netexec.start_udp(address, flags.number("udp-port"))
    certificate = flags.text("tls-cert-file")
    tls = pair(certificate, flags.text("tls-private-key-file")) if certificate else None
    server = Server(netexec.routes, listen(flags.number("http-port")), tls)
    netexec.server = server
    log(f"Started HTTP server on port {server.port}")
    server.serve()
    threading.Event().wait()  # /exit ends the process
    return 0


class Netexec:
    """The paths and what they do."""

    def __init__(self, override: str = "", leave: Callable[[int], object] = os._exit, uploads: Path = _UPLOADS) -> None:
        self.server: Server | None = None
        self.ready = False
        self._override = override
        self._leave = leave
        self._uploads = uploads
        self._paths: dict[str, Callable[[Request], Reply]] = {
            "/": _now,
            "/clientip": _clientip,
            "/dial": dial,
            "/echo": _echo,
            "/exit": self._exit,
            "/header": _header,
            "/healthz": self._healthz,
            "/hostname": _hostname,
            "/hostName": _hostname,
            "/redirect": _redirect,
            "/shell": _shell,
            "/shutdown": self._shutdown,
            "/upload": self._upload,
        }

    @property
    def routes(self) -> dict[str, Callable[[Request], Reply]]:
        """The table for the server."""
        return {"/": self._overridden} if self._override else self._paths

    def _overridden(self, request: Request) -> Reply:
        other = Request("GET", self._override, {}, b"", request.remote)
        return self._paths.get(other.path, _now)(other)

    def _healthz(self, request: Request) -> Reply:
        log("GET /healthz")
        return Reply(status=200 if self.ready else 412)

    def _shutdown(self, request: Request) -> Reply:
        log("GET /shutdown")
        self._leave(0)
        return Reply()

    def _exit(self, request: Request) -> Reply:
        code, wait, timeout = (request.form(name) for name in ("code", "wait", "timeout"))
        log(f"GET /exit?code={code}&timeout={timeout}&wait={wait}")
        try:
            seconds = {name: duration(text) if text else 0.0 for name, text in (("timeout", timeout), ("wait", wait))}
        except ValueError:
            name, text = ("timeout", timeout) if not _is_duration(timeout) else ("wait", wait)
            return Reply(f"argument '{name}' must be a valid golang duration or empty, got {quoted(text)}\n")
        if code and not _is_number(code):
            return Reply(f"argument 'code' must be an integer [0-127] or empty, got {quoted(code)}\n")
        time.sleep(seconds["wait"])
        if not seconds["timeout"]:
            self._leave(int(code or 0))
        threading.Thread(target=self._end, args=(int(code or 0), seconds["timeout"]), daemon=True).start()
        return Reply()

    def _end(self, code: int, seconds: float) -> None:
        if self.server is not None:
            done = self.server.close(seconds)
            log(f"Graceful shutdown completed with: {'<nil>' if done else 'context deadline exceeded'}")
        self._leave(code)

    def _upload(self, request: Request) -> Reply:
        """Keep the file of a multipart form."""
        log("GET /upload")
        boundary = request.headers.get("content-type", "").partition("boundary=")[2].strip('"').encode()
        parts = request.body.split(b"--" + boundary) if boundary else []
        found = next((part for part in parts if b'name="file"' in part.partition(b"\r\n\r\n")[0]), None)
        if found is None:
            return Reply(as_json({"error": "Unable to upload file."}))
        place = self._uploads / f"upload{os.getpid()}{next(_NUMBERS)}"
        try:
            place.write_bytes(found.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))
        except OSError:
            return Reply(as_json({"error": "Unable to open file for write"}))
        place.chmod(0o700)
        log(f"Wrote upload to {place}")
        return Reply(as_json({"output": str(place)}), 201)

    def start_udp(self, address: str, port: int) -> socket.socket:
        """Answer datagrams from now on; the socket that they come to."""
        taking = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        if not address:
            taking = _any_datagrams(taking)
        taking.bind((address or ("::" if taking.family == socket.AF_INET6 else "0.0.0.0"), port))
        self.ready = True
        log(f"Started UDP server on port {address} {port}")
        threading.Thread(target=_answer_datagrams, args=(taking,), daemon=True).start()
        return taking


def _any_datagrams(instead: socket.socket) -> socket.socket:
    """A socket of both address families; `instead` where there is only IPv4."""
    try:
        both = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        Path("/proc/net/if_inet6").read_bytes()[0]
    except (OSError, IndexError):
        return instead
    instead.close()
    return both


def _answer_datagrams(taking: socket.socket) -> None:
    while True:
        try:
            received, client = taking.recvfrom(2048)
        except OSError:
            return  # it is closed
        if not client:
            return
        text = received.decode(errors="replace").strip().lower()
        host = client[0].removeprefix("::ffff:")
        where = f"[{host}]:{client[1]}" if ":" in host else f"{host}:{client[1]}"
        if text == "hostname":
            taking.sendto(socket.gethostname().encode(), client)
        elif text.startswith("echo "):
            taking.sendto(text.partition(" ")[2].encode(), client)
        elif text == "clientip":
            taking.sendto(where.encode(), client)
        elif text:
            log(f"Unknown UDP command received from {where}: {text}")


def end_datagrams(taking: socket.socket) -> None:
    """Answer no more of them."""
    with contextlib.suppress(OSError):  # it is connected to nobody, and yet whoever reads from it is woken
        taking.shutdown(socket.SHUT_RDWR)
    taking.close()


def _is_duration(text: str) -> bool:
    try:
        return duration(text) is not None if text else True
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdigit()


def _now(request: Request) -> Reply:
    log("GET /")
    return Reply(f"NOW: {time.strftime('%Y-%m-%d %H:%M:%S')}.{time.time_ns() % 10**9:09} +0000 UTC")


def _clientip(request: Request) -> Reply:
    log("GET /clientip")
    return Reply(request.remote)


def _hostname(request: Request) -> Reply:
    log(f"GET {request.path}")
    return Reply(socket.gethostname())


def _header(request: Request) -> Reply:
    key = request.form("key")
    log(f"GET /header?key={key}")
    return Reply(request.headers.get(key.lower(), ""))


def _echo(request: Request) -> Reply:
    text, code = request.form("msg"), request.form("code")
    log(f"GET /echo?msg={text}&code={code}")
    if code and not _is_number(code):
        return Reply(f"argument 'code' must be an integer or empty, got {quoted(code)}\n")
    return Reply(text, int(code or 200))


def _redirect(request: Request) -> Reply:
    location, code = request.form("location"), request.form("code")
    log(f"{request.method} /redirect?msg={location}&code={code}")
    if code and not _is_number(code):
        return Reply(f"argument 'code' must be an integer or empty, got {quoted(code)}\n")
    return Reply("", int(code or 302), {"Location": quote(location, safe="/:?#[]@!$&'()*+,;=%-._~")})


def _shell(request: Request) -> Reply:
    command = request.form("shellCommand") or request.form("cmd")
    log(f"GET /shell?cmd={command}")
    done = subprocess.run([_SHELL, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = {"output": done.stdout.decode(errors="replace")} if done.stdout else {}
    if done.returncode:
        said = {"error": f"exit status {done.returncode}", **said}
    return Reply(as_json(said))


def dial(request: Request) -> Reply:
    """Ask another, and tell what it answered."""
    host, port, asked, protocol, tries = (
        request.query(name) for name in ("host", "port", "request", "protocol", "tries")
    )
    log(f"GET /dial?host={host}&protocol={protocol}&port={port}&request={asked}&tries={tries}")
    dialer = {"": _dial_http, "http": _dial_http, "udp": _dial_udp}.get(protocol.lower())
    if tries and not _is_number(tries):
        return error(f"tries parameter is invalid. {tries}", 400)
    if not asked:
        return error("request parameter not specified. <nil>", 400)
    if dialer is None:
        return error(f"unsupported protocol. {protocol}", 400)
    try:
        address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][4]
    except (OSError, ValueError) as wrong:
        return error(f"host and/or port param are invalid. {wrong}", 400)
    responses, errors, last = [], [], ""
    for _ in range(int(tries or 1)):
        try:
            last = dialer(asked, str(address[0]), int(address[1]))
            responses.append(last)
        except OSError as wrong:
            last = ""
            errors.append(str(wrong))
    return Reply(as_json({**({"errors": errors} if errors else {}), **({"responses": responses} if last else {})}))


def _dial_http(asked: str, host: str, port: int) -> str:
    where = f"[{host}]" if ":" in host else host
    return fetch(f"http://{where}:{port}/{asked}").body.decode(errors="replace")


def _dial_udp(asked: str, host: str, port: int) -> str:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5.0)
        asking.connect((host, port))
        try:
            asking.send(asked.encode())
            return asking.recv(2048).decode(errors="replace")
        except OSError as wrong:
            raise OSError(f"reading from udp connection failed. err:'{wrong}'") from wrong
