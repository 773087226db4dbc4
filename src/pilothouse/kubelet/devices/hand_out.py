"""Gives pods the devices that they ask for: when the node takes them, until they are over.

A container gets what its `limits` name, from the resource's plugin, and keeps it over its restarts and the kubelet's.
Upstream: Allocate, GetDeviceRunContainerOptions, UpdatePluginResources in pkg/kubelet/cm/devicemanager/manager.go.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from itertools import takewhile
from pathlib import Path

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.containers import is_sidecar, main_and_init
from pilothouse.kubelet.contribution import Contribution
from pilothouse.kubelet.devices import handed_out
from pilothouse.kubelet.devices.choice import Unavailable, check, plan_choice
from pilothouse.kubelet.devices.endpoint import Endpoint
from pilothouse.kubelet.devices.handed_out import Handed, HandedOut, contribution
from pilothouse.kubelet.devices.health import with_health
from pilothouse.kubelet.devices.plugins import DevicePlugins
from pilothouse.kubelet.devices.stock import Device, Stock, Supply
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
Active = Callable[[], Collection[str] | None]
"""The uids of the pods that may have something of the node; None: not all are known yet."""
Near = Callable[[str, str], Collection[int] | None]
"""The NUMA nodes that a container of a pod is bound to, by uid and name."""
_Reusable = dict[str, set[str]]


class Devices:
    """Of one node. `directory` holds the sockets, and the record of what is handed out."""

    def __init__(
        self, directory: Path, clock: Clock, tasks: Tasks, active: Active = lambda: None,
        near: Near = lambda _uid, _container: None,
    ) -> None:  # fmt: skip
        self.directory = directory
        self.stock = Stock()
        self.plugins = DevicePlugins(self.stock, clock, tasks, self._changed, self._health_changed)
        self._clock = clock
        self._active = active
        self._near = near
        self._handed = HandedOut()
        self.observe: Callable[[str, float], None] = lambda _resource, _seconds: None
        """Told how long a plugin took over its devices, whether it gave any or not."""
        self._listeners: list[Callable[[], None]] = []
        self._of_health: list[Callable[[str], None]] = []
        self._one_at_a_time = asyncio.Lock()
        for resource in handed_out.read(directory, self._handed):
            self.stock.expect(resource, clock.monotonic())

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when there are other devices, or they are otherwise."""
        self._listeners.append(callback)

    def on_health(self, callback: Callable[[str], None]) -> None:
        """Call back with a pod's uid when devices that it has are ill, or well again."""
        self._of_health.append(callback)

    def amounts(self) -> tuple[dict[str, str], dict[str, str]]:
        """How many there are of each resource, and how many pods may have."""
        if self.stock.drop_lost(self._clock.monotonic()):
            self._record()
        return self.stock.amounts()

    # When the node takes a pod.

    async def hand_out(self, pod: Pod) -> Refusal | None:
        """Give the containers their devices, those that they lack; why not. Who asks for none waits for nobody."""
        if not any(self._asked(container) for container in main_and_init(pod)):
            return None
        added: list[tuple[str, str]] = []
        reusable: _Reusable = {}
        async with self._one_at_a_time:
            try:
                for container in main_and_init(pod):
                    await self._give(pod, container, reusable, added)
            except (PluginError, Unavailable, OSError) as error:
                for name, resource in added:
                    self._handed.take_back(pod.metadata.uid, name, resource)
                return Refusal("UnexpectedAdmissionError", f"Allocate failed due to {error}, which is unexpected")
            return None

    async def give(self, pod: Pod, container: Container) -> None:
        """Give one container its devices, those that it lacks. Raises PluginError, Unavailable, OSError."""
        async with self._one_at_a_time:
            await self._give(pod, container, self._left_by_earlier(pod, container), [])

    def _left_by_earlier(self, pod: Pod, container: Container) -> _Reusable:
        reusable: _Reusable = {}
        for earlier in takewhile(lambda one: one.name != container.name, main_and_init(pod)):
            self._mark_reusable(pod, earlier, reusable)
        return reusable

    def supplies(self, pod: Pod, container: Container) -> dict[str, Supply]:
        """What there is of the resources that a container asks for."""
        self._free_unused(pod.metadata.uid)
        reusable, used, found = self._left_by_earlier(pod, container), self._handed.in_use(), dict[str, Supply]()
        for resource, size in self._asked(container).items():
            known, taken = self.stock.devices(resource), used.get(resource, set())
            handed = self._handed.of(pod.metadata.uid, container.name).get(resource)
            left = [known[name] for name in sorted(reusable.get(resource, ())) if name in known]
            free = [known[name] for name in sorted((self.stock.healthy(resource) or frozenset()) - taken)]
            held = handed.devices() if handed is not None else None
            found[resource] = Supply(size, tuple(known.values()), tuple(free), tuple(left), held)
        return found

    def known_to(self, pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
        """What the node offers, and no less than is handed out, if the pod has some of it: it has got it already."""
        if not self._handed.has(pod.metadata.uid):
            return allocatable
        more = {
            resource: str(len(ids))
            for resource, ids in self._handed.in_use().items()
            if parse_quantity(allocatable.get(resource, "0")).value() < len(ids)
        }
        return {**allocatable, **more}

    async def _give(
        self, pod: Pod, container: Container, reusable: _Reusable, added: list[tuple[str, str]]
    ) -> None:  # fmt: skip
        """Raises PluginError, Unavailable, OSError."""
        uid, before = pod.metadata.uid, len(added)
        for resource, size in self._asked(container).items():
            if len(added) == before:
                self._free_unused(uid)
            ids = await self._chosen(uid, container.name, resource, size, reusable.get(resource, ()))
            if not ids:
                continue
            began = self._clock.monotonic()
            try:
                response = await self._endpoint(resource).allocate(ids)
            finally:
                self.observe(resource, self._clock.monotonic() - began)
            known = self.stock.devices(resource)
            handed = Handed.of([known.get(name, Device(name)) for name in ids], response)
            self._handed.add(uid, container.name, resource, handed)
            added.append((container.name, resource))
        if len(added) > before:
            self._write()
        self._mark_reusable(pod, container, reusable)

    def _asked(self, container: Container) -> dict[str, int]:
        """How many the container asks for of what plugins have, or had when it got some."""
        used = self._handed.in_use()
        return {
            name: parse_quantity(amount).value()
            for name, amount in sorted(container.resources.limits.items())
            if self.stock.knows(name) or name in used
        }

    async def _chosen(
        self, uid: str, container: str, resource: str, size: int, reusable: Collection[str]
    ) -> Collection[str]:
        """Those that it lacks. Raises PluginError, Unavailable."""
        handed = self._handed.of(uid, container).get(resource)
        before = handed.ids if handed is not None else frozenset[str]()
        if handed is not None and len(before) != size:
            raise Unavailable(
                f'pod "{uid}" container "{container}" changed request for resource "{resource}" '
                f"from {len(before)} to {size}"
            )
        healthy = self.stock.healthy(resource)
        check(resource, healthy, before)
        if handed is not None or not size:
            return ()
        used = self._handed.in_use().get(resource, set())
        free = {name: self.stock.devices(resource)[name] for name in (healthy or frozenset()) - used}
        choice = plan_choice(resource, size, reusable, free, self._near(uid, container))
        preferred: Collection[str] = ()
        if choice.is_open and (endpoint := self._endpoint(resource)).abilities.preference:
            preferred = await endpoint.prefer(choice.offered, choice.certain, size)
        return choice.finished(tuple(preferred))

    def _mark_reusable(self, pod: Pod, container: Container, reusable: _Reusable) -> None:
        """Of an init container that will have ended others may have the devices; not what others have for good."""
        initial = any(one.name == container.name for one in pod.spec.initContainers) and not is_sidecar(container)
        for resource, handed in self._handed.of(pod.metadata.uid, container.name).items():
            if initial:
                reusable.setdefault(resource, set()).update(handed.ids)
            else:
                reusable.get(resource, set()).difference_update(handed.ids)

    def _endpoint(self, resource: str) -> Endpoint:
        """Raises PluginError."""
        endpoint = self.plugins.endpoint(resource)
        if endpoint is None:
            raise PluginError(f"endpoint not found in cache for a registered resource: {resource}")
        return endpoint

    def _free_unused(self, uid: str) -> None:
        """Take back what pods have that are over."""
        active = self._active()
        if active is not None:
            self._handed.keep({uid, *active})

    # When a container starts.

    async def contribute(self, pod: Pod, container: Container) -> Contribution:
        """What its plugins want it to have. Raises ConfigError."""
        asked = {name: size for name, size in self._asked(container).items() if size}
        if not asked:
            return Contribution()
        uid = pod.metadata.uid
        try:
            for resource in asked:
                await self._pre_start(uid, container.name, resource)
            if asked.keys() - self._handed.of(uid, container.name).keys():
                # An earlier kubelet took the pod, and left no record of its devices.
                async with self._one_at_a_time:
                    await self._give(pod, container, {}, [])
        except (PluginError, Unavailable, OSError) as error:
            raise ConfigError(str(error)) from error
        return contribution(self._handed.of(uid, container.name))

    async def _pre_start(self, uid: str, container: str, resource: str) -> None:
        endpoint = self.plugins.endpoint(resource)
        if not self.stock.knows(resource):
            raise PluginError(f"endpoint not found in cache for a registered resource: {resource}")
        if endpoint is None or not endpoint.abilities.pre_start:
            return
        handed = self._handed.of(uid, container).get(resource)
        if handed is None:
            raise PluginError(
                f"no devices found allocated in local cache for pod {uid}, container {container}, resource {resource}"
            )
        await endpoint.pre_start(handed.ids)

    # Who has what.

    def of(self, uid: str, container: str) -> JsonObject:
        """A container's devices, as the pod-resources API tells of them."""
        handed = self._handed.of(uid, container)
        return _told({resource: one.devices() for resource, one in handed.items()})

    def allocatable(self) -> JsonObject:
        """All that pods may have, whether somebody has it or not."""
        return _told({
            resource: [self.stock.devices(resource)[name] for name in healthy]
            for resource, healthy in self.stock.registered().items()
        })  # fmt: skip

    def refresh(self) -> None:
        """Have what pods had that are over no longer told."""
        active = self._active()
        if active is not None:
            self._handed.keep(active)

    def with_health(self, pod: Pod, status: JsonObject) -> JsonObject:
        """The pod's status, in which it is told how its devices are."""
        uid = pod.metadata.uid
        if not self._handed.has(uid):
            return status
        return with_health(status, lambda name: self._handed.of(uid, name), self.stock.devices)

    def _health_changed(self, resource: str, ids: Collection[str]) -> None:
        for uid in self._handed.holders(resource, ids):
            for callback in self._of_health:
                callback(uid)

    def _changed(self) -> None:
        self._record()
        for callback in self._listeners:
            callback()

    def _record(self) -> None:
        try:
            self._write()
        except OSError as error:
            log.error("Failed to write checkpoint file", err=str(error))

    def _write(self) -> None:
        handed_out.write(self.directory, self._handed, self.stock.registered())


def _told(devices: Mapping[str, list[Device]]) -> JsonObject:
    return {
        "devices": [
            {"resource_name": resource, "device_ids": [one.id], **_topology(one)}
            for resource, found in sorted(devices.items())
            for one in found
        ]
    }


def _topology(device: Device) -> JsonObject:
    return {"topology": {"nodes": [{"ID": node} for node in device.nodes]}} if device.nodes else {}
