"""What a pod's status says of the devices that its containers have by claims: pure.

Upstream: UpdateAllocatedResourcesStatus in pkg/kubelet/cm/dra/manager.go.
"""

from collections.abc import Callable, Iterator

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.dra.claim_info import ClaimError, ClaimInfo, Device
from pilothouse.kubelet.dra.claimed import claim_name
from pilothouse.kubelet.dra.health import Health

Known = Callable[[str], ClaimInfo | None]
"""A claim of the pod's namespace, by its name."""
HealthOf = Callable[[str, Device], Health]
"""By driver and device."""


def with_health(pod: Pod, status: JsonObject, known: Known, health: HealthOf) -> JsonObject:
    """The status, in which the main containers' devices are told of."""
    containers = {one.name: one for one in pod.spec.containers}
    told = []
    for one in status.get("containerStatuses", ()):
        container = containers.get(one["name"])
        found = _resources(pod, container, known, health) if container is not None else []
        every = [*one.get("allocatedResourcesStatus", ()), *found]
        told.append({**one, "allocatedResourcesStatus": every} if found else one)
    return {**status, "containerStatuses": told} if told else status


def _resources(pod: Pod, container: Container, known: Known, health: HealthOf) -> list[JsonObject]:
    found = []
    for name, claim, request in _used(pod, container):
        info = known(claim)
        devices = _devices(info, request, health) if info is not None else []
        if devices:
            found.append({"name": name, "resources": devices})
    return found


def _used(pod: Pod, container: Container) -> Iterator[tuple[str, str, str]]:
    """What the container uses: its name in the status, the claim, and the request."""
    for use in container.resources.claims:
        try:
            claim = claim_name(pod, use.name)
        except ClaimError:
            continue
        if claim:
            yield f"claim:{use.name}/{use.request}" if use.request else f"claim:{use.name}", claim, use.request
    if extended := pod.status.extendedResourceClaimStatus:
        claim = extended.resourceClaimName
        for mapping in extended.requestMappings:
            if mapping.containerName == container.name:
                yield f"claim:{claim}/{mapping.requestName}", claim, mapping.requestName


def _devices(info: ClaimInfo, request: str, health: HealthOf) -> list[JsonObject]:
    """Devices that are one and the same for the runtime are told of once."""
    found: dict[str, JsonObject] = {}
    for driver, devices in info.devices.items():
        for device in devices:
            name = device.cdi[0] if device.cdi else f"{driver}/{device.pool}/{device.name}"
            if device.serves(request.partition("/")[0]) and name not in found:
                found[name] = _told(name, health(driver, device))
    return list(found.values())


def _told(name: str, health: Health) -> JsonObject:
    told = {"resourceID": name, "health": health.word}
    return {**told, "message": health.message} if health.message else told
