"""Which devices containers have by claims, for the pod-resources API."""

from collections.abc import Callable, Mapping

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import find
from pilothouse.kubelet.dra.claim_info import ClaimError, ClaimInfo, Device
from pilothouse.kubelet.dra.claimed import has_claims, used
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources


class AssignedClaims:
    """`pods` are those on the node, by uid. Of a claim all devices are told, whichever the container uses."""

    def __init__(self, resources: DynamicResources, pods: Callable[[], Mapping[str, Pod]]) -> None:
        self._resources = resources
        self._pods = pods

    def refresh(self) -> None:
        """What pods had that are over is given back by whoever ends them."""

    def of(self, uid: str, container: str) -> JsonObject:
        """A container's devices; nothing while one of its claims is not known."""
        pod = self._pods().get(uid)
        found = find(pod, container) if pod is not None and has_claims(pod) else None
        if pod is None or found is None:
            return {}
        try:
            infos = [self._resources.cache.get((pod.metadata.namespace, name)) for name in used(pod, found)]
        except ClaimError:
            return {}
        told = [_told(info) for info in infos if info is not None]
        return {"dynamic_resources": told} if told and len(told) == len(infos) else {}

    def allocatable(self) -> JsonObject:
        """Drivers tell of that in ResourceSlices."""
        return {}


def _told(info: ClaimInfo) -> JsonObject:
    resources = [_resource(driver, device) for driver, devices in info.devices.items() for device in devices]
    return {"claim_name": info.name, "claim_namespace": info.namespace, "claim_resources": resources}


def _resource(driver: str, device: Device) -> JsonObject:
    return {
        "cdi_devices": [{"name": name} for name in device.cdi], "driver_name": driver, "pool_name": device.pool,
        "device_name": device.name, "share_id": device.share,
    }  # fmt: skip
