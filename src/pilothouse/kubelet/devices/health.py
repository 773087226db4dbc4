"""How the devices are that containers have, as their statuses tell: pure.

Feature ResourceHealthStatus. A device that its plugin tells no more of is as it was last told, or taken to be well.
Upstream: UpdateAllocatedResourcesStatus in pkg/kubelet/cm/devicemanager/manager.go.
"""

from collections.abc import Callable, Mapping, Sequence

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.devices.handed_out import Handed
from pilothouse.kubelet.devices.stock import Device
from pilothouse.kubelet.devices.table import HEALTHY

_UNHEALTHY = "Unhealthy"


def with_health(
    status: JsonObject, has: Callable[[str], Mapping[str, Handed]], known: Callable[[str], Mapping[str, Device]]
) -> JsonObject:
    """A pod's status with that in it. `has`: what a container has by resource; `known`: the devices of a resource."""
    told = [_with_devices(one, has(one["name"]), known) for one in status.get("containerStatuses", ())]
    return {**status, "containerStatuses": told}


def _with_devices(
    status: JsonObject, handed: Mapping[str, Handed], known: Callable[[str], Mapping[str, Device]]
) -> JsonObject:
    if not handed:
        return status
    mine = [{"name": name, "resources": _resources(handed[name], known(name))} for name in sorted(handed)]
    others: Sequence[JsonObject] = status.get("allocatedResourcesStatus", ())
    return {**status, "allocatedResourcesStatus": [*mine, *(one for one in others if one["name"] not in handed)]}


def _resources(handed: Handed, known: Mapping[str, Device]) -> list[JsonObject]:
    return [
        {"resourceID": name, "health": HEALTHY if name not in known or known[name].healthy else _UNHEALTHY}
        for name in sorted(handed.ids)
    ]
