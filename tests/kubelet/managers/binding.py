"""Made-up machines whose memory is handed out, and pods that ask for some."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelet.managers.machines import GI, memory
from kubelet.observing import pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.managers.hints import Unavailable
from pilothouse.kubelet.managers.memory_ledger import Block
from pilothouse.kubelet.managers.static_memory import StaticMemory


def wanting(size: int, name: str = "app", pages: int = 0, **more: Any) -> JsonObject:
    """A container that asks for so many GiB, and so many in pages of 2 MiB."""
    amounts = {"cpu": "100m", "memory": f"{size}Gi", **({"hugepages-2Mi": f"{pages}Gi"} if pages else {})}
    return {"name": name, "image": "app:1", "resources": {"limits": amounts, "requests": amounts}, **more}


def sized(name: str, *sizes: int, init: Collection[JsonObject] = ()) -> Pod:
    """Containers `app0`, `app1`... of so many GiB."""
    containers = [wanting(size, f"app{number}") for number, size in enumerate(sizes)]
    return pod(metadata={"uid": f"uid-{name}", "name": name}, containers=containers, initContainers=list(init))


@dataclass
class Binder:
    """Of a machine with NUMA nodes of so many GiB; one is kept of the first."""

    directory: Path
    sizes: Sequence[int] = (4, 4)
    pages: Mapping[int, int] | None = None
    active: set[str] | None = None
    strict: bool = False
    memory: StaticMemory = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        nodes = memory(*self.sizes, pages=self.pages)
        kept = {0: {"memory": GI}}
        self.memory = StaticMemory(nodes, kept, self.directory, lambda: self.active, strict=self.strict)

    def give(self, to: Pod, near: Collection[int] | None = None) -> str:
        """What each container has now; why not."""
        every = [*to.spec.initContainers, *to.spec.containers]
        try:
            for container in every:
                asyncio.run(self.memory.allocate(to, container, None if near is None else frozenset(near)))
        except Unavailable as error:
            return f"{error.reason}: {error}"
        return self.has(to)

    def has(self, one: Pod) -> str:
        every = [*one.spec.initContainers, *one.spec.containers]
        return " ".join(shown(self.memory.own(one.metadata.uid, container.name)) for container in every)


def shown(blocks: Sequence[Block]) -> str:
    """Nodes and GiB of each, such as `01:5`."""
    return "+".join(f"{''.join(map(str, block.nodes))}:{block.size // GI}" for block in blocks) or "-"
