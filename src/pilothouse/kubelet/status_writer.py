"""Writes pod statuses to the API server: the newest of each pod, when it differs, and again until it is taken.

Workers never wait for it except before a pod is let go, when its last status must be there (`flush`).
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery.errors import Conflict, NotFound, StatusError
from pilothouse.api.machinery.patch.merge import merge_patch_between
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.api import Pods
from pilothouse.kubelet.status import PASSING
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import Metrics

log = Log(__name__)
_WRITTEN = (
    "Duration in seconds to sync a pod status update. Measures time from detection of a change to pod status until the "
    "API is successfully updated for that pod, even if multiple intevening changes to pod status occur."
)
_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60)
_REPLACED_LISTS = ("podIPs", "hostIPs")
"""Lists that a strategic patch would merge: what we say is all there is."""


def status_patch(old: Mapping[str, Any], new: JsonObject) -> JsonObject:
    """The strategic merge patch that makes `old` into `new`, as far as the kubelet owns it; empty for no change."""
    owned = {"reason", "message", "podIP", "podIPs", "initContainerStatuses", "ephemeralContainerStatuses"}
    patch: JsonObject = {name: None for name in sorted(owned) if old.get(name) and name not in new}
    for name, value in new.items():
        if old.get(name) == value:
            continue
        if name == "conditions":
            known = {condition["type"]: condition for condition in old.get("conditions") or ()}
            merged = [(one["type"], merge_patch_between(known.get(one["type"], {}), one)) for one in value]
            changed: list[JsonObject] = [{"type": kind, **change} for kind, change in merged if change]
            told = {condition["type"] for condition in value}
            changed += [{"$patch": "delete", "type": kind} for kind in PASSING if kind in known and kind not in told]
            if changed:
                patch["conditions"] = changed
        elif name in _REPLACED_LISTS and old.get(name):
            patch[name] = [{"$patch": "replace"}, *value]
        elif isinstance(value, dict):
            patch[name] = merge_patch_between(old.get(name) or {}, value)
        else:
            patch[name] = value
    return patch


class StatusWriter:
    """One for the node. `run` does the writing."""

    def __init__(self, pods: Pods, clock: Clock, metrics: Metrics | None = None) -> None:
        self._pods = pods
        self._clock = clock
        self._wanted: dict[str, tuple[Pod, JsonObject]] = {}
        self._known: dict[str, Pod] = {}
        self._told: dict[str, JsonObject] = {}
        self._since: dict[str, float] = {}
        """Since when there is something to write of a pod."""
        self._written = (metrics or Metrics()).histogram(
            "kubelet_pod_status_sync_duration_seconds", f"[ALPHA] {_WRITTEN}", buckets=_BUCKETS
        )
        self._news = asyncio.Event()
        self._busy = asyncio.Lock()

    def put(self, pod: Pod, status: JsonObject) -> None:
        """Have this status written."""
        self._wanted[pod.metadata.uid] = (pod, status)
        self._told[pod.metadata.uid] = status
        self._since.setdefault(pod.metadata.uid, self._clock.monotonic())
        self._news.set()

    def newest(self, pod: Pod) -> Pod:
        """The pod with the status that was last put, whether it is written yet or not."""
        told = self._told.get(pod.metadata.uid)
        if told is None:
            return pod
        known = [one for one in pod.status.raw.get("conditions") or () if one["type"] not in PASSING]
        every = (*known, *(told.get("conditions") or ()))
        conditions = {condition["type"]: condition for condition in every}
        status = {**pod.status.raw, **told, "conditions": list(conditions.values())}
        return Pod({**pod.raw, "status": status})

    def last(self, pod: Pod) -> Pod:
        """The newest of what is known of the pod: as given, or as the server answered our last write."""
        known = self._known.get(pod.metadata.uid)
        if known is None or _number(known) < _number(pod):
            self._known[pod.metadata.uid] = known = pod
        return known

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        self._wanted.pop(uid, None)
        self._known.pop(uid, None)
        self._told.pop(uid, None)
        self._since.pop(uid, None)

    async def flush(self, uid: str) -> None:
        """Write what is wanted of one pod now. Raises StatusError when it cannot be."""
        async with self._busy:
            wanted = self._wanted.pop(uid, None)
            if wanted is None:
                return
            try:
                await self._write(*wanted)
            except StatusError:
                self._wanted.setdefault(uid, wanted)
                raise

    async def run(self) -> None:
        """Write for as long as the kubelet lives."""
        wait = Backoff(Growth(first=0.5, limit=10.0))
        while True:
            await self._news.wait()
            self._news.clear()
            for uid in list(self._wanted):
                try:
                    await self.flush(uid)
                    wait.reset()
                except StatusError as error:
                    log.warning("Failed to update status for pod", uid=uid, err=error.message)
                    self._news.set()
                    await self._clock.sleep(wait.next())

    async def _write(self, pod: Pod, status: JsonObject) -> None:
        patch, uid = status_patch(self.last(pod).status.raw, status), pod.metadata.uid
        if not patch:
            self._since.pop(uid, None)
            return
        try:
            self._known[uid] = await self._pods.patch_status(pod, patch)
            if uid not in self._wanted and (since := self._since.pop(uid, None)) is not None:
                self._written.observe(self._clock.monotonic() - since)
        except (NotFound, Conflict):
            # Gone, or another pod of the same name: nothing to report on.
            log.info("Pod is gone, its status is not written", pod=f"{pod.metadata.namespace}/{pod.metadata.name}")


def _number(pod: Pod) -> int:
    text = pod.metadata.resourceVersion
    return int(text) if text.isdigit() else 0
