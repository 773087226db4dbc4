"""A real API server, as its own process would run it, in a thread of its own: for clients that we did not write."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fakes.served_cluster import Keys, Served, serve_api
from pilothouse.runtime.clock import SystemClock


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The path of an administrator's kubeconfig for a running server."""
    directory = tmp_path_factory.mktemp("server")
    keys = Keys.new()
    config = keys.config(directory, disabled=("ServiceAccount",))  # no controller makes the accounts here
    served = Served(partial(serve_api, config, SystemClock()))
    served.begin()
    yield keys.kubeconfig(directory, served.port)
    served.stop()
