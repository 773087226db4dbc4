"""The pod-resources API, v1: which devices, processors and memory of the node which containers have.

Monitoring agents and network plugins ask it, on a socket of the node. Upstream: pkg/kubelet/apis/podresources/
server_v1.go; the messages' numbers are facts of staging/src/k8s.io/kubelet/pkg/apis/podresources/v1/api.proto.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import is_sidecar
from pilothouse.kubelet.counts.plugin_counts import PodResourcesCounts
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.kubelet.plugins.unix_server import Handlers
from pilothouse.net.grpc_frames import GrpcCode
from pilothouse.net.message_table import message_classes
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.rate_limit import TokenBucket

PACKAGE = "v1"
SOCKET = "kubelet.sock"
RATE, BURST = 100.0, 10
"""Calls a second that are answered, and at once."""

MESSAGES = """
NUMANode ID:int64=1
TopologyInfo nodes:NUMANode*=1
ContainerDevices resource_name=1 device_ids:string*=2 topology:TopologyInfo=3
ContainerMemory memory_type=1 size:uint64=2 topology:TopologyInfo=3
CDIDevice name=1
ClaimResource cdi_devices:CDIDevice*=1 driver_name=2 pool_name=3 device_name=4 share_id=5
DynamicResource claim_name=2 claim_namespace=3 claim_resources:ClaimResource*=4
ContainerResources name=1 devices:ContainerDevices*=2 cpu_ids:int64*=3 memory:ContainerMemory*=4
    dynamic_resources:DynamicResource*=5
PodResources name=1 namespace=2 containers:ContainerResources*=3
ListPodResourcesRequest
ListPodResourcesResponse pod_resources:PodResources*=1
AllocatableResourcesRequest
AllocatableResourcesResponse devices:ContainerDevices*=1 cpu_ids:int64*=2 memory:ContainerMemory*=3
GetPodResourcesRequest pod_name=1 pod_namespace=2
GetPodResourcesResponse pod_resources:PodResources=1
"""


class Assigned(Protocol):
    """Who gives something of the node to containers: tells in fields of ContainerResources."""

    def refresh(self) -> None:
        """Have what pods had that are over no longer told."""
        ...

    def of(self, uid: str, container: str) -> JsonObject:
        """What a container has."""
        ...

    def allocatable(self) -> JsonObject:
        """All that containers may have, whether somebody has it or not."""
        ...


class PodResources:
    """Answers. `pods` are those on the node, `active` those of them that are not over."""

    def __init__(
        self, pods: Callable[[], Iterable[Pod]], active: Callable[[], Iterable[Pod]], assigned: Sequence[Assigned],
        bucket: TokenBucket, counts: PodResourcesCounts | None = None,
    ) -> None:  # fmt: skip
        self._pods = pods
        self._active = active
        self._assigned = assigned
        self._bucket = bucket
        self._counts = counts or PodResourcesCounts(Metrics())

    def handlers(self) -> Handlers:
        """By path."""
        return {
            f"/{PACKAGE}.PodResourcesLister/{name}": self._limited(name, request, answer)
            for name, request, answer in (
                ("List", "ListPodResourcesRequest", self._list),
                ("GetAllocatableResources", "AllocatableResourcesRequest", self._allocatable),
                ("Get", "GetPodResourcesRequest", self._get),
            )
        }

    def _limited(self, call: str, kind: str, answer: Callable[[Any], Any]) -> Callable[[bytes], Awaitable[bytes]]:
        async def limited(question: bytes) -> bytes:
            if not self._bucket.take():
                raise PluginError("rejected by rate limit", GrpcCode.RESOURCE_EXHAUSTED)
            self._counts.asked(call)
            try:
                request = messages()[kind].FromString(question)
            except DecodeError as error:
                raise PluginError(str(error), GrpcCode.INTERNAL) from error
            try:
                return bytes(answer(request).SerializeToString())
            except Exception:
                self._counts.failed(call)
                raise

        return limited

    def _list(self, _request: Any) -> Any:
        for one in self._assigned:
            one.refresh()
        return messages()["ListPodResourcesResponse"](pod_resources=[self._told(pod) for pod in self._active()])

    def _allocatable(self, _request: Any) -> Any:
        return messages()["AllocatableResourcesResponse"](**_merged(one.allocatable() for one in self._assigned))

    def _get(self, request: Any) -> Any:
        wanted = (request.pod_namespace, request.pod_name)
        pod = next((pod for pod in self._pods() if (pod.metadata.namespace, pod.metadata.name) == wanted), None)
        if pod is None:
            raise PluginError(f"pod {request.pod_name} in namespace {request.pod_namespace} not found")
        return messages()["GetPodResourcesResponse"](pod_resources=self._told(pod))

    def _told(self, pod: Pod) -> JsonObject:
        """Of init containers, sidecars alone: the others are over, or hand on what they have."""
        meta = pod.metadata
        told = [*(one for one in pod.spec.initContainers if is_sidecar(one)), *pod.spec.containers]
        return {
            "name": meta.name, "namespace": meta.namespace,
            "containers": [
                {"name": one.name, **_merged(each.of(meta.uid, one.name) for each in self._assigned)} for one in told
            ],
        }  # fmt: skip


def _merged(parts: Iterable[JsonObject]) -> JsonObject:
    return {name: value for part in parts for name, value in part.items()}


@lru_cache(maxsize=1)
def messages() -> Mapping[str, Any]:
    """The classes, made when somebody asks."""
    return message_classes(PACKAGE, MESSAGES, "")
