"""Writes of the garbage collector under the eyes of others who write."""

from collections.abc import Awaitable, Callable

import orjson
import pytest

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import Conflict, NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ConfigMap
from pilothouse.client.client import Client
from pilothouse.client.discovery import Discovery
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.controllers.garbage_collector.graph import Identity
from pilothouse.controllers.garbage_collector.objects import (
    NamespaceMissingError,
    Objects,
    UnknownKindError,
    merge_references,
)
from pilothouse.net.http import Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import run

OWNERS: list[JsonObject] = [
    {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": f"uid-{name}", "blockOwnerDeletion": True}
    for name in "xy"
]
Meanwhile = Callable[[], Awaitable[object]]


class Desk:
    """The objects of a server on which somebody else may write just before."""

    def __init__(self, cluster: Cluster) -> None:
        self.client = cluster.client()
        self.sent: list[tuple[str, str]] = []
        self.meanwhile: dict[str, Meanwhile] = {}
        self.plain_merge_only = False
        handle = cluster.server.handle

        async def watched(request: Request) -> Response:
            method, form = request.method, request.headers.get("content-type", "")
            self.sent.append((method, form))
            if self.plain_merge_only and "strategic" in form:
                error = errors.UnsupportedMediaType("not here")
                return Response(error.code, orjson.dumps(error.status()))
            if method in self.meanwhile:
                await self.meanwhile.pop(method)()
            return await handle(request)

        client = Client(HandlerTransport(watched, ADMIN), cluster.catalogue, cluster.clock, memo=Memo())
        self.discovery = Discovery(client)
        self.objects = Objects(client, self.discovery, cluster.clock)

    async def make(self, *finalizers: str) -> Identity:
        meta = {"name": "a", "namespace": "ns", "ownerReferences": OWNERS, "finalizers": [*finalizers]}
        made = await self.client.create(ConfigMap, {"metadata": meta}, "ns")
        return Identity("ConfigMap", "v1", "ns", "a", made.metadata.uid)

    async def raw(self) -> JsonObject:
        return dict((await self.client.get(ConfigMap, "a", "ns")).metadata.raw)

    def change(self, **meta: object) -> Meanwhile:
        """Somebody else's write."""
        return lambda: self.client.patch(ConfigMap, "a", "ns", {"metadata": meta})

    async def replace(self) -> None:
        """Somebody else deletes it and makes another of the same name."""
        await self.client.delete(ConfigMap, "a", "ns")
        await self.make()


def play(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            desk = Desk(cluster)
            await desk.discovery.refresh()
            await story(desk)

    run(main)


def test_an_object_is_known_by_its_uid() -> None:
    async def story(desk: Desk) -> None:
        identity = await desk.make()
        found = await desk.objects.get(identity)
        assert found is not None
        assert found.metadata.uid == identity.uid
        assert await desk.objects.get(identity._replace(uid="other")) is None
        assert await desk.objects.get(identity._replace(name="other")) is None
        with pytest.raises(UnknownKindError, match="unable to get REST mapping for v1/Odd"):
            await desk.objects.get(identity._replace(kind="Odd"))
        with pytest.raises(NamespaceMissingError):
            await desk.objects.get(identity._replace(namespace=""))
        assert await desk.objects.get(identity._replace(kind="Namespace", name="x")) is None

    play(story)


def test_changes_that_do_not_touch_owners_do_not_save_it() -> None:
    async def story(desk: Desk) -> None:
        identity = await desk.make()
        seen = await desk.objects.get(identity)
        assert seen is not None
        desk.meanwhile["DELETE"] = desk.change(labels={"a": "b"})
        await desk.objects.delete(identity, seen, "Background")
        with pytest.raises(NotFound):
            await desk.raw()
        with pytest.raises(NotFound):
            await desk.objects.delete(identity, seen, "Background")

    play(story)


def test_changes_of_owners_do() -> None:
    async def story(desk: Desk) -> None:
        identity = await desk.make()
        seen = await desk.objects.get(identity)
        assert seen is not None
        desk.meanwhile["DELETE"] = desk.change(ownerReferences=OWNERS[:1])
        with pytest.raises(Conflict):
            await desk.objects.delete(identity, seen, "Background")
        assert await desk.raw()

    play(story)


def test_a_namesake_is_never_touched() -> None:
    async def story(desk: Desk) -> None:
        identity = await desk.make("orphan")
        await desk.change(finalizers=None)()
        seen = await desk.objects.get(identity)
        assert seen is not None
        desk.meanwhile["DELETE"] = desk.replace
        await desk.objects.delete(identity, seen, "Background")
        with pytest.raises(Conflict):
            await desk.objects.drop_owners(identity, ["uid-x"])
        with pytest.raises(Conflict):
            await desk.objects.unblock_owners(identity, ["uid-x"])
        await desk.objects.remove_finalizer(identity, "orphan")
        assert (await desk.raw())["ownerReferences"] == OWNERS

    play(story)


@pytest.mark.parametrize("plain_merge_only", [False, True])
def test_references_are_dropped_and_unblocked_one_by_one(plain_merge_only: bool) -> None:
    async def story(desk: Desk) -> None:
        desk.plain_merge_only = plain_merge_only
        identity = await desk.make()
        await desk.objects.unblock_owners(identity, ["uid-y"])
        x, y = OWNERS
        assert (await desk.raw())["ownerReferences"] == [x, {**y, "blockOwnerDeletion": False}]
        await desk.objects.drop_owners(identity, ["uid-x", "uid-unknown"])
        assert (await desk.raw())["ownerReferences"] == [{**y, "blockOwnerDeletion": False}]
        await desk.objects.drop_owners(identity, ["uid-y"])
        assert not (await desk.raw()).get("ownerReferences")
        if not plain_merge_only:
            assert ("PATCH", "application/merge-patch+json") not in desk.sent

    play(story)


def test_a_finalizer_goes_whoever_else_writes() -> None:
    async def story(desk: Desk) -> None:
        identity = await desk.make("example.com/x", "orphan")
        desk.meanwhile["PATCH"] = desk.change(labels={"a": "b"})
        await desk.objects.remove_finalizer(identity, "orphan")
        assert (await desk.raw())["finalizers"] == ["example.com/x"]
        assert (await desk.raw())["labels"] == {"a": "b"}
        desk.sent.clear()
        await desk.objects.remove_finalizer(identity, "orphan")
        assert [method for method, _ in desk.sent] == ["GET"]

    play(story)


def test_a_merge_of_references() -> None:
    x, y = OWNERS
    assert merge_references(OWNERS, [{"$patch": "delete", "uid": "uid-x"}]) == [y]
    assert merge_references(OWNERS, [{"uid": "uid-x", "blockOwnerDeletion": False}]) == [
        {**x, "blockOwnerDeletion": False},
        y,
    ]
    assert merge_references([], [{"$patch": "delete", "uid": "uid-x"}]) == []
