"""A node of the harness whose machine is shut down by the test."""

import asyncio
from dataclasses import dataclass, field

from kubelet.harness import FakeNode
from pilothouse.kubelet.admission import NodeAdmission
from pilothouse.kubelet.shutdown.policy import ShutdownPolicy
from pilothouse.kubelet.shutdown.record import ShutdownRecord
from pilothouse.kubelet.shutdown.shutdown import GracefulShutdown, Surroundings
from pilothouse.runtime.metrics import Metrics


@dataclass
class FakeLock:
    held: bool = True
    released: int = 0

    def release(self) -> None:
        self.held = False
        self.released += 1


@dataclass
class FakeLogin:
    """Waits as long as it is told, once it has read that."""

    most: float = 5.0
    wanted: float | None = None
    reads_after: int = 0
    """How often it is asked before it has read its configuration."""
    asked: int = 0
    listening: bool = False
    locks: list[FakeLock] = field(default_factory=list)
    word: asyncio.Queue[bool | Exception] = field(default_factory=asyncio.Queue)

    async def delay(self) -> float:
        self.asked += 1
        if self.wanted is not None:
            self.reads_after -= 1
            if self.reads_after < 0:
                self.most = self.wanted
        return self.most

    async def ask_for_delay(self, seconds: float) -> None:
        self.wanted = seconds

    async def lock(self) -> FakeLock:
        self.locks.append(FakeLock())
        return self.locks[-1]

    async def listen(self) -> None:
        self.listening = True

    async def shutdown(self) -> bool:
        word = await self.word.get()
        if isinstance(word, Exception):
            raise word
        return word

    @property
    def held(self) -> bool:
        """Whether the machine waits."""
        return any(lock.held for lock in self.locks)


@dataclass
class Closing:
    """What is seen of it."""

    node: FakeNode
    login: FakeLogin = field(default_factory=FakeLogin)
    metrics: Metrics = field(default_factory=Metrics)
    told: list[bool] = field(default_factory=list)
    saved: list[ShutdownRecord] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    """Pods, by uid, whose volumes do not go."""

    @property
    def shutting_down(self) -> bool:
        return bool(self.told and self.told[-1])

    def shutdown(self, policy: ShutdownPolicy) -> GracefulShutdown:
        """Before the first pod is there."""
        node = self.node
        node.admission = NodeAdmission(
            node.own, node.runtime, lambda: node.workers, node.told, node.clock, node.traits,
            shutting_down=lambda: self.shutting_down,
        )  # fmt: skip

        async def has_volumes(uid: str) -> bool:
            return uid in self.kept

        async def save(record: ShutdownRecord) -> None:
            self.saved.append(record)

        return GracefulShutdown(policy, Surroundings(
            node=node.workers, has_volumes=has_volumes, recorder=node.told, clock=node.clock, name="n1",
            tell=self.told.append, save=save, began=self.metrics.gauge("began", "When"),
            ended=self.metrics.gauge("ended", "When"),
        ))  # fmt: skip
