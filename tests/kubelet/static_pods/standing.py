"""A node with static pods, before an API server of the test's own: runtime and disk are the harness's."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from kubelet.at_work import context
from kubelet.harness import FakeNode
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.client.informer import Informers
from pilothouse.kubelet.api import ClientPods
from pilothouse.kubelet.log_file import Changes
from pilothouse.kubelet.parts.static_pods import StaticPods
from pilothouse.kubelet.pod_sources import API, PodSources
from pilothouse.kubelet.static_pods.config import StaticPods as Config
from pilothouse.kubelet.static_pods.mirror import MirroredPods
from pilothouse.kubelet.status_writer import StatusWriter
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.cluster import Cluster


class News:
    """Tells of changes when the test says so: a descriptor of the kernel's would stop virtual time."""

    def __init__(self) -> None:
        self._listeners: list[asyncio.Event] = []

    @contextmanager
    def watch(self, directory: Path) -> Iterator[asyncio.Event]:
        if not directory.exists():
            raise FileNotFoundError(str(directory))
        event = asyncio.Event()
        self._listeners.append(event)
        try:
            yield event
        finally:
            self._listeners.remove(event)

    def poke(self) -> None:
        for event in self._listeners:
            event.set()


NEWS = News()


class Poked(StaticPods):
    """Hears of changes by these news."""

    def changes(self) -> AbstractContextManager[Changes]:
        return nullcontext(NEWS)


def manifest(name: str = "web", image: str = "app:1", **more: Any) -> JsonObject:
    """Of a pod as people write it."""
    meta = more.pop("metadata", {})
    spec = {"containers": [{"name": "app", "image": image}], **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **meta}, "spec": spec}


class Away:
    """A client whose server cannot be reached."""

    async def get(self, *_args: Any, **_more: Any) -> Any:
        raise ConnectionRefusedError(111, "refused")


@dataclass
class Stage:
    """Static pods are files in `directory`; `client` is a user's."""

    directory: Path
    node: FakeNode
    client: Client
    clock: LoopClock
    sources: PodSources

    def write(self, value: JsonObject, file: str = "web.yaml") -> None:
        (self.directory / file).write_text(yaml.safe_dump(value))
        NEWS.poke()

    def remove(self, file: str = "web.yaml") -> None:
        (self.directory / file).unlink()
        NEWS.poke()

    async def mirror(self, name: str = "web-n1") -> Pod | None:
        try:
            return await self.client.get(Pod, name, "default")
        except NotFound:
            return None

    async def until_mirror(self, what: Callable[[Pod], bool], name: str = "web-n1") -> Pod:
        async with self.clock.timeout(120):
            while (found := await self.mirror(name)) is None or not what(found):
                await self.clock.sleep(0.1)
        return found

    async def until_none(self, name: str = "web-n1") -> None:
        async with self.clock.timeout(120):
            while await self.mirror(name) is not None:
                await self.clock.sleep(0.1)

    async def running(self) -> list[str]:
        """Uids of the pods that run."""
        return [box.uid for box in await self.node.cri.sandboxes() if box.ready]


def play(tmp_path: Path, story: Callable[[Stage], Coroutine[Any, Any, None]], *, heard: bool = True) -> None:
    """Tell a story. `heard`: the API server has told of its pods when it begins."""
    directory = tmp_path / "manifests"
    directory.mkdir()

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            await client.create(Node, {"metadata": {"name": "n1"}})
            node, sources = FakeNode(tmp_path, clock, tasks), PodSources(("file",))
            node.writer = StatusWriter(MirroredPods(ClientPods(client), sources), clock)
            tasks.spawn(node.writer.run(), name="reports")
            sources.feed(node.workers)
            pods = Informers(client, clock, tasks).of(Pod, fields="spec.nodeName=n1")
            await pods.synced()
            pods.on_change(sources.on_change)
            if heard:
                sources.seen(API)
            work = context(node, tasks, client, static_pods=Config(path=directory))
            tasks.spawn(Poked().run(replace(work, sources=sources)), name="part")
            await story(Stage(directory, node, client, clock, sources))
            tasks.cancel_all()

    loop.run(main)
