"""GET /pilothouse/backup: who may have everything, and that backups do not disturb each other."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fakes.served import schemas
from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.authorization.framework import Attributes, Decision, Verdict
from pilothouse.apiserver.backup import PATH, Backups
from pilothouse.apiserver.handlers.authorize import authorize
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.backup import read
from pilothouse.store.interface import Listing
from pilothouse.store.memory import MemoryStore


class Readers:
    """Everybody may read every path; `resources` says whether every object, too."""

    def __init__(self, *, resources: bool) -> None:
        self._resources = resources

    def authorize(self, attributes: Attributes) -> Decision:
        may = self._resources or not attributes.is_resource
        return Decision(Verdict.ALLOW if may else Verdict.NO_OPINION)


def tell(
    directory: Path, story: Callable[[HandlerTransport, Backups], Awaitable[None]], *, resources: bool = True
) -> None:
    async def main() -> None:
        clock = SystemClock()
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, Chance(1)) as server:
            await store.create("kube/a/b", b"{}")
            backups = Backups(store, directory)
            steps = (authorize(Readers(resources=resources)),)
            server.assemble(steps=steps, roots={"pilothouse": backups.answer})
            await story(HandlerTransport(server.handle, None), backups)

    asyncio.run(main())


def left_in(directory: Path) -> list[Path]:
    return [*directory.iterdir()]


def test_leave_for_the_path_is_not_leave_for_what_is_in_it(tmp_path: Path) -> None:
    async def story(transport: HandlerTransport, _backups: Backups) -> None:
        answer = await transport.send("GET", PATH, {})
        assert answer.status == 403
        assert b'cannot get resource \\"*\\" in API group \\"*\\"' in answer.body
        assert left_in(tmp_path) == []

    tell(tmp_path, story, resources=False)


def test_who_may_read_everything_gets_it(tmp_path: Path) -> None:
    async def story(transport: HandlerTransport, _backups: Backups) -> None:
        answer = await transport.send("GET", PATH, {})
        assert answer.status == 200
        assert left_in(tmp_path) == []
        copy = tmp_path / "copy.db"
        copy.write_bytes(answer.body)
        assert [record.key for record in read(copy).records] == ["kube/a/b"]

    tell(tmp_path, story)


def test_one_that_is_still_written_for_a_client_that_has_left_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pilothouse.apiserver import backup

    async def story(transport: HandlerTransport, _backups: Backups) -> None:
        places: list[Path] = []

        def kept(listing: Listing, path: Path) -> None:
            places.append(path)
            path.write_bytes(b"%d" % len(listing.records))

        monkeypatch.setattr(backup, "write_backup", kept)
        for _ in range(2):
            assert (await transport.send("GET", PATH, {})).status == 200
        assert len(set(places)) == 2

    tell(tmp_path, story)
