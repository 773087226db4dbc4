"""All pods of the node: one worker each, by uid."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.key import Key
from pilothouse.kubelet.pod_worker import PodWorker
from pilothouse.kubelet.status import Verdict
from pilothouse.runtime.tasks import Tasks

Others = Callable[[], Sequence[Pod]]
"""The pods besides one that have their place on the node."""


class PodWorkers:
    """Starts a worker for every pod it hears of, and ends it when the pod is gone."""

    def __init__(self, make: Callable[[Pod, Others], PodWorker], tasks: Tasks) -> None:
        self._make = make
        self._tasks = tasks
        self._workers: dict[str, PodWorker] = {}
        self._listeners: list[Callable[[str], None]] = []

    def on_gone(self, callback: Callable[[str], None]) -> None:
        """Call back with the uid of each pod of which nothing is left on the node."""
        self._listeners.append(callback)

    def on_change(self, old: Pod | None, new: Pod | None) -> None:
        """An informer's news. A pod of the same name with another uid is another pod."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            worker = self._workers.get(old.metadata.uid)
            if worker is not None:
                worker.remove()
        if new is None:
            return
        worker = self._workers.get(new.metadata.uid)
        if worker is not None:
            worker.update(new)
            return
        worker = self._workers[new.metadata.uid] = self._make(new, partial(self._others, new.metadata.uid))
        worker.update(new)
        self._tasks.spawn(self._run(new.metadata.uid, worker), name=f"pod worker {Key.of(new)}")

    async def _run(self, uid: str, worker: PodWorker) -> None:
        await worker.run()
        del self._workers[uid]
        for callback in self._listeners:
            callback(uid)

    def _others(self, uid: str) -> list[Pod]:
        return [worker.pod for known, worker in self._workers.items() if known != uid and worker.placed]

    def placed(self) -> list[Pod]:
        """The pods that have their place on the node, which are those that may run."""
        return self._others("")

    def poke(self, uid: str) -> None:
        """The runtime says something about this pod changed."""
        if worker := self._workers.get(uid):
            worker.poke()

    def renew(self, uid: str) -> None:
        """Something that this pod's volumes show may have changed."""
        if worker := self._workers.get(uid):
            worker.renew()

    def poke_all(self) -> None:
        """Something that every pod may depend on has changed."""
        for worker in self._workers.values():
            worker.poke()

    def end(self, uid: str, verdict: Verdict, grace: float | None = None) -> None:
        """The node ends this pod, within `grace` seconds or as many as its spec gives."""
        if worker := self._workers.get(uid):
            worker.end(verdict, grace)

    async def stopped(self, uid: str) -> None:
        """Wait until nothing of this pod runs."""
        if worker := self._workers.get(uid):
            await worker.stopped.wait()

    async def cleared(self, uid: str) -> None:
        """Wait until nothing of this pod runs, and its volumes are gone."""
        if worker := self._workers.get(uid):
            await worker.cleared.wait()

    def at_work(self) -> Collection[PodWorker]:
        """One a pod."""
        return self._workers.values()

    def pods(self) -> Mapping[str, Pod]:
        """The pods at work, by uid."""
        return {uid: worker.pod for uid, worker in self._workers.items()}
