"""The programs' servers on a port of this machine, for the time of a test."""

import ssl
from collections.abc import Callable, Iterator

import pytest

from contract_images.agnhost.web import Routes, Server, listen


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """Serves a table of paths; the URL of it."""
    running = []

    def serve(routes: Routes, tls: ssl.SSLContext | None = None) -> str:
        server = Server(routes, listen(0, "127.0.0.1"), tls)
        running.append((server, server.start()))
        return f"http{'s' if tls else ''}://127.0.0.1:{server.port}"

    yield serve
    for server, thread in running:
        assert server.close(5)
        thread.join()
