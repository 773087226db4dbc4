"""A guestbook in three roles: a primary that holds it, replicas that register there, a front that asks either."""

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from contract_images.agnhost.fetch import fetch
from contract_images.agnhost.flags import Flags
from contract_images.agnhost.logs import log
from contract_images.agnhost.web import Reply, Request, Server, error, listen
from contract_images.agnhost.wording import as_json

_PATIENCE, _PAUSE = 15.0, 1.0


def run(arguments: Sequence[str]) -> int:
    """Serve, and register with the primary if one is named."""
    flags = Flags(arguments, {"http-port": "80", "backend-port": "6379", "replicaof": ""})
    guestbook = Guestbook(flags.text("backend-port"))
    server = Server(guestbook.routes, listen(int(flags.text("http-port"))))
    if primary := flags.text("replicaof"):
        thread = server.start()
        if not guestbook.register(primary):
            log("Timed out while registering to primary.")
            return 1
        thread.join()
    server.serve()
    return 1


class Guestbook:
    """The entries and who else has them."""

    def __init__(self, port: str, primary: str = "agnhost-primary", replica: str = "agnhost-replica") -> None:
        self._port = port
        self._hosts = {"set": primary, "get": replica}
        self._entries: dict[str, str] = {}
        self._replicas: list[str] = []
        self._held = threading.Lock()

    @property
    def routes(self) -> dict[str, Callable[[Request], Reply]]:
        """The table for the server."""
        return {"/register": self._register, "/get": self._get, "/set": self._set, "/guestbook": self._front}

    def _ask(self, host: str, request: str) -> str:
        where = f"[{host}]" if ":" in host else host
        return fetch(f"http://{where}:{self._port}/{request}").body.decode()

    def register(self, primary: str, patience: float = _PATIENCE) -> bool:
        """Tell the primary of us, and take over what it has; False when it does not answer for too long."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as towards:
                    towards.connect((primary, int(self._port)))
                    own = towards.getsockname()[0]
                log(f"Registering to primary: {primary}:{self._port}/register?host={own}")
                self._entries = json.loads(self._ask(primary, f"register?host={own}"))["data"]
            except OSError as wrong:
                log(f"encountered error while registering to primary: {wrong}. Retrying in {_PAUSE:g}s.")
                time.sleep(_PAUSE)
            else:
                log(f"Registered to node: {primary}")
                return True
        return False

    def _register(self, request: Request) -> Reply:
        host = request.query("host")
        log(f"GET /register?host={host}")
        with self._held:
            self._replicas.append(host)
            log(f"Node '{host}' registered.")
            return Reply(as_json({"data": self._entries}))

    def _get(self, request: Request) -> Reply:
        key = request.query("key")
        log(f"GET /get?key={key}")
        return Reply(as_json({"data": self._entries.get(key, "") if key else self._entries}))

    def _set(self, request: Request) -> Reply:
        key, value = request.query("key"), request.query("value")
        log(f"GET /set?key={key}&value={value}")
        if not key:
            return error("cannot set with empty key.", 400)
        with self._held:
            self._entries[key] = value
            replicas = [*self._replicas]
        for replica in replicas:
            try:
                self._ask(replica, f"set?key={quote(key)}&value={quote(value)}")
            except OSError as wrong:
                return error(f"encountered error while propagating to replica '{replica}': {wrong}", 417)
        return Reply(as_json({"message": "Updated"}))

    def _front(self, request: Request) -> Reply:
        command, key, value = request.query("cmd").lower(), request.query("key"), request.query("value")
        log(f"GET /guestbook?cmd={command}&key={key}&value={value}")
        if command not in self._hosts:
            return error(f"unsupported cmd: '{command}'", 400)
        if command == "set" and not key:
            return error("cannot set with empty key.", 400)
        try:
            return Reply(self._ask(self._hosts[command], f"{command}?key={quote(key)}&value={quote(value)}"))
        except socket.gaierror as wrong:
            return error(f"host and/or port param are invalid. {wrong}", 400)
        except OSError as wrong:
            return error(f"encountered error: {wrong}", 417)
