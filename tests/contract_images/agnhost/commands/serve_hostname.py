"""Tells its name to whoever asks, over HTTP and, if it is to, over TCP and UDP."""

import socket
import threading
from collections.abc import Sequence

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.logs import log
from contract_images.agnhost.web import Reply, Request, Server, listen


def run(arguments: Sequence[str]) -> int:
    """Serve on the port that --port gives."""
    flags = Flags(arguments, {"port": 9376, "tcp": False, "udp": False, "http": True, "close": False})
    port = flags.number("port")
    if flags.on("udp"):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("0.0.0.0", port))
        threading.Thread(target=_answer_datagrams, args=(datagrams,), daemon=True).start()
    if flags.on("tcp"):
        _answer_connections(listen(port))
    elif flags.on("http"):
        Server({"/": name}, listen(port)).serve()
    else:
        threading.Event().wait()
    return 1


def name(request: Request) -> Reply:
    """Our name."""
    log(f"HTTP request from {request.remote}")
    return Reply(socket.gethostname())


def _answer_connections(taking: socket.socket) -> None:
    while True:
        connection, _ = taking.accept()
        with connection:
            connection.sendall(socket.gethostname().encode())


def _answer_datagrams(datagrams: socket.socket) -> None:
    while True:
        _, client = datagrams.recvfrom(2048)
        datagrams.sendto(socket.gethostname().encode(), client)
