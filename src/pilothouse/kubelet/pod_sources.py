"""Who is to run on the node, of all who say so: the API server, and for static pods a file or a URL.

The API server knows static pods by their mirrors, which run nowhere: they are kept here, for a static pod's worker
gets the mirror's status and version with its own spec, so that what is reported is compared with what the server has.
A static pod that comes in another's place, or again, waits until that has ended.
Upstream: pkg/kubelet/config/config.go, pkg/kubelet/pod/pod_manager.go.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.key import Key
from pilothouse.kubelet.pod_workers import PodWorkers
from pilothouse.kubelet.static_pods.manifest import HASH, SEEN, SOURCE

API = "api"
MIRROR = "kubernetes.io/config.mirror"


class PodSources:
    """All of one node, before its workers. `names`: those from which it must have heard."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._workers: PodWorkers | None = None
        self._missing = {API, *names}
        self._heard = asyncio.Event()
        self._static: dict[str, dict[str, Pod]] = {}
        """By source, then by uid."""
        self._mirrors: dict[Key, Pod] = {}
        self._ending: dict[str, Key] = {}
        """Static pods whose worker is taking them away, by uid."""
        self._listeners: list[Callable[[], None]] = []

    def feed(self, workers: PodWorkers) -> None:
        """Tell these of pods."""
        self._workers = workers
        workers.on_gone(self._on_gone)

    def on_mirrors(self, callback: Callable[[], None]) -> None:
        """Call back when static pods or mirrors have changed."""
        self._listeners.append(callback)

    async def complete(self) -> None:
        """Wait until every source has been heard of: who is not known then is nobody's."""
        await self._heard.wait()

    @property
    def is_complete(self) -> bool:
        """Whether every source has been heard of."""
        return self._heard.is_set()

    def seen(self, source: str) -> None:
        """All of a source has been heard."""
        self._missing.discard(source)
        if not self._missing:
            self._heard.set()
            self._tell()

    def on_change(self, old: Pod | None, new: Pod | None) -> None:
        """The API server's news."""
        was, now = old if old and _is_mirror(old) else None, new if new and _is_mirror(new) else None
        if was is not None and now is None:
            self._mirrors.pop(Key.of(was), None)
        if now is not None:
            self._mirrors[Key.of(now)] = now
            if (static := self._static_of(now)) is not None:
                self._workers_told(static, static)
        if was is not None or now is not None:
            self._tell()
        rest = (None if was else _from_api(old), None if now else _from_api(new))
        if rest != (None, None):
            self._told(*rest)

    def set(self, source: str, pods: Sequence[Pod]) -> list[Pod]:
        """All pods of a source of static pods; those are returned whose name another one has."""
        before = self._static.get(source, {})
        now: dict[str, Pod] = {}
        named: dict[Key, Pod] = {}
        for pod in pods:
            if named.setdefault(Key.of(pod), pod) is pod:
                known = before.get(pod.metadata.uid)
                now[pod.metadata.uid] = known if known is not None and _same(known, pod) else pod
        self._static[source] = now
        for uid, pod in before.items():
            if uid not in now:
                self._remove(pod)
        for uid, pod in now.items():
            if pod is not before.get(uid):
                self._begin(before.get(uid), pod)
        self.seen(source)
        self._tell()
        return [pod for pod in pods if named[Key.of(pod)] is not pod]

    def static(self) -> Mapping[Key, Pod]:
        """The static pods that are wanted."""
        return {Key.of(pod): pod for pods in self._static.values() for pod in pods.values()}

    def mirrors(self) -> Mapping[Key, Pod]:
        """What the API server has of static pods, now or formerly."""
        return self._mirrors

    def ending(self) -> Collection[Key]:
        """Static pods that are being taken away."""
        return self._ending.values()

    def mirror_of(self, uid: str) -> Pod | None:
        """The mirror of a static pod that is still wanted as it is."""
        pod = next((pods[uid] for pods in self._static.values() if uid in pods), None)
        mirror = self._mirrors.get(Key.of(pod)) if pod is not None else None
        return mirror if pod is not None and mirror is not None and mirrors(mirror, pod) else None

    def _begin(self, known: Pod | None, pod: Pod) -> None:
        if pod.metadata.uid not in self._ending and Key.of(pod) not in self._ending.values():
            self._workers_told(known, pod)

    def _remove(self, pod: Pod) -> None:
        if self._workers is not None and pod.metadata.uid in self._workers.pods():
            self._ending[pod.metadata.uid] = Key.of(pod)
            self._told(pod, None)

    def _on_gone(self, uid: str) -> None:
        key = self._ending.pop(uid, None)
        if key is None:
            return
        for pods in self._static.values():
            for pod in pods.values():
                if Key.of(pod) == key or pod.metadata.uid == uid:
                    self._begin(None, pod)
        self._tell()

    def _static_of(self, mirror: Pod) -> Pod | None:
        pod = self.static().get(Key.of(mirror))
        at_work = self._workers is not None and pod is not None and pod.metadata.uid in self._workers.pods()
        return pod if at_work and pod is not None and mirrors(mirror, pod) else None

    def _workers_told(self, old: Pod | None, pod: Pod) -> None:
        """Of a static pod, as its mirror shows it."""
        mirror = self.mirror_of(pod.metadata.uid)
        if mirror is None:
            self._told(old, pod)
            return
        meta = {
            **pod.metadata.raw, "resourceVersion": mirror.metadata.resourceVersion,
            "generation": mirror.metadata.generation,
        }  # fmt: skip
        self._told(old, Pod({**pod.raw, "metadata": meta, "status": mirror.status.raw}))

    def _told(self, old: Pod | None, new: Pod | None) -> None:
        assert self._workers is not None
        self._workers.on_change(old, new)

    def _tell(self) -> None:
        for callback in self._listeners:
            callback()


def _from_api(pod: Pod | None) -> Pod | None:
    """Whatever a user has written there: where a pod came from is ours to say, and much is allowed to static ones."""
    if pod is None or pod.metadata.annotations.get(SOURCE, API) == API:
        return pod
    meta = pod.metadata.raw
    return Pod({**pod.raw, "metadata": {**meta, "annotations": {**meta["annotations"], SOURCE: API}}})


def _is_mirror(pod: Pod) -> bool:
    return MIRROR in pod.metadata.annotations


def mirrors(mirror: Pod, pod: Pod) -> bool:
    """Whether it shows this very static pod."""
    return mirror.metadata.annotations.get(MIRROR) == pod.metadata.annotations.get(HASH)


def _same(known: Pod, pod: Pod) -> bool:
    """Whether nothing has changed but when it was seen."""
    return _unseen(known) == _unseen(pod)


def _unseen(pod: Pod) -> JsonObject:
    meta = pod.metadata.raw
    annotations = {name: value for name, value in meta.get("annotations", {}).items() if name != SEEN}
    return {**pod.raw, "metadata": {**meta, "annotations": annotations}}
