"""A server that others report to: /write counts who did, /read tells it. What the test of PreStop hooks watches.

Upstream's dials the endpoints of a service as well and judges by that. Nothing in the conformance tests asks for it:
here it contacts nobody, and says so.
"""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence

from contract_images.agnhost.flags import Flags, Value
from contract_images.agnhost.web import Reply, Request, Server, listen


def run(arguments: Sequence[str]) -> int:
    """Serve on the port that --port gives."""
    defaults: dict[str, Value] = {
        "port": 8080,
        "peers": 8,
        "service": "nettest",
        "namespace": "default",
        "delay-shutdown": 0,
    }
    flags = Flags(arguments, defaults)
    if delay := flags.number("delay-shutdown"):
        signal.signal(signal.SIGTERM, lambda *_: _end_later(delay))
    Server(Nettest().routes, listen(flags.number("port"))).serve()
    return 1


def _end_later(seconds: int) -> None:
    time.sleep(seconds)
    os._exit(0)


class Nettest:
    """What has been reported."""

    def __init__(self) -> None:
        self._name = socket.gethostname()
        self._received: dict[str, int] = {}
        self._errors: list[str] = []
        self._held = threading.Lock()

    @property
    def routes(self) -> dict[str, Callable[[Request], Reply]]:
        """The table for the server."""
        return {"/read": self._read, "/write": self._write, "/status": self._status, "/quit": _quit}

    def _read(self, request: Request) -> Reply:
        with self._held:
            state = {
                "Hostname": self._name,
                "Sent": None,
                "Received": self._received or None,
                "Errors": self._errors or None,
                "Log": ["This stand-in contacts no peers."],
                "StillContactingPeers": False,
            }
            return Reply(json.dumps(state, indent="\t"))

    def _write(self, request: Request) -> Reply:
        with self._held:
            try:
                source = json.loads(request.body)["Source"]
                self._received[source] = self._received.get(source, 0) + 1
            except (ValueError, KeyError, TypeError):
                self._errors.append(f"{self._name}: Got request with no source")
        return Reply(json.dumps({"Hostname": self._name}) + "\n")

    def _status(self, request: Request) -> Reply:
        return Reply("fail")


def _quit(request: Request) -> Reply:
    os._exit(0)
