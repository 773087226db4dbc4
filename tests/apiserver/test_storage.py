"""Which store a configuration gives, and that etcd behind TLS lets in who shows a certificate."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.etcd import Etcd, skip_without_etcd
from pilothouse.apiserver.config import EtcdConfig
from pilothouse.apiserver.storage import open_store
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Store, Unavailable
from pilothouse.store.sqlite import SqliteStore

CLOCK = SystemClock()


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[EtcdConfig]:
    """An etcd that wants a certificate, and how to be let in."""
    skip_without_etcd()
    authority = Authority.create("etcd", CLOCK.now())
    (tmp_path / "ca.crt").write_bytes(authority.certificate)
    for name, usage in (("server", Usage.BOTH), ("client", Usage.CLIENT)):
        pair = authority.issue(name, addresses=["127.0.0.1"], usage=usage, now=CLOCK.now())
        (tmp_path / f"{name}.crt").write_bytes(pair.certificate)
        (tmp_path / f"{name}.key").write_bytes(pair.key)
    flags = (
        "--cert-file", f"{tmp_path}/server.crt", "--key-file", f"{tmp_path}/server.key",
        "--trusted-ca-file", f"{tmp_path}/ca.crt", "--client-cert-auth",
    )  # fmt: skip
    with Etcd.running(more=flags) as etcd:
        yield EtcdConfig(
            servers=tuple(etcd.urls), authority=tmp_path / "ca.crt", certificate=tmp_path / "client.crt",
            key=tmp_path / "client.key", prefix="/here",
        )  # fmt: skip


async def until_it_answers(store: Store) -> None:
    while True:
        try:
            await store.revision()
        except Unavailable:
            await CLOCK.sleep(0.05)
        else:
            return


def test_without_an_etcd_it_is_sqlite(tmp_path: Path) -> None:
    assert isinstance(open_store(None, tmp_path / "state.db", CLOCK), SqliteStore)
    assert isinstance(open_store(EtcdConfig(servers=("127.0.0.1:1",)), tmp_path / "state.db", CLOCK), EtcdStore)


@pytest.mark.parametrize("url", ["https://127.0.0.1:2379", "unix:///etcd"])
def test_servers_that_cannot_be_meant(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^{url}: "):
        open_store(EtcdConfig(servers=(url,)), tmp_path / "state.db", CLOCK)


def test_who_shows_a_certificate_is_let_in(secured: EtcdConfig, tmp_path: Path) -> None:
    async def main() -> None:
        async with CLOCK.timeout(30), open_store(secured, tmp_path / "state.db", CLOCK) as store:
            await until_it_answers(store)
            record = await store.create("/a", b"1")
            assert await store.get("/a") == record
            async with open_store(replace(secured, certificate=None), tmp_path / "state.db", CLOCK) as nobody:
                with pytest.raises(Unavailable, match=r"^etcdserver: no member can be reached$"):
                    await nobody.get("/a")
            async with open_store(replace(secured, prefix="/elsewhere"), tmp_path / "state.db", CLOCK) as elsewhere:
                assert await elsewhere.get("/a") is None

    asyncio.run(main())
