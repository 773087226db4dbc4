"""One etcd for all tests here that do not harm it."""

import shutil
from collections.abc import Iterator

import pytest

from fakes.etcd import Etcd


@pytest.fixture(scope="session")
def etcd() -> Iterator[Etcd]:
    if shutil.which("etcd") is None:
        pytest.skip("no etcd is installed (make packages)")
    with Etcd.running() as etcd:
        yield etcd
