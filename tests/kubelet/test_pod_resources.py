"""Who asks the node hears which containers have what, over gRPC on a socket."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from kubelet.devices.handing_out import wanting
from kubelet.observing import pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.counts.plugin_counts import PodResourcesCounts
from pilothouse.kubelet.plugins.unix_server import serve_unix
from pilothouse.kubelet.pod_resources import PodResources, messages
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.rate_limit import TokenBucket

Ask = Callable[..., Awaitable[Any]]


class Given:
    """Devices, or whatever it is: by uid and container."""

    def __init__(self, all_of_it: JsonObject, **given: JsonObject) -> None:
        self.refreshed = 0
        self._all = all_of_it
        self._given = given

    def refresh(self) -> None:
        self.refreshed += 1

    def of(self, uid: str, container: str) -> JsonObject:
        return self._given.get(f"{uid}_{container}", {})

    def allocatable(self) -> JsonObject:
        return self._all


def named(name: str, *containers: JsonObject, **spec: Any) -> Pod:
    return pod(metadata={"uid": name, "name": name, "namespace": "default"}, containers=list(containers), **spec)


FOO = {"resource_name": "example.com/foo", "device_ids": ["a"], "topology": {"nodes": [{"ID": 1}]}}
DEVICES = Given({"devices": [FOO]}, web_app={"devices": [FOO]})
PROCESSORS = Given({"cpu_ids": [0, 1]}, web_app={"cpu_ids": [1]}, web_side={"cpu_ids": [0]})
WEB = named("web", wanting(1), initContainers=[wanting(1, "init"), wanting(1, "side", restartPolicy="Always")])
OVER = named("over", wanting(1))


def serve(root: Path, story: Callable[[Ask], Awaitable[None]], *, burst: int = 100) -> int:
    """How many calls were counted."""
    metrics = Metrics()

    async def main() -> None:
        clock = SystemClock()
        answers = PodResources(
            lambda: [WEB, OVER], lambda: [WEB], [DEVICES, PROCESSORS], TokenBucket(0.001, burst, clock),
            PodResourcesCounts(metrics),
        )  # fmt: skip
        async with (
            serve_unix(root / "kubelet.sock", answers.handlers(), clock),
            grpc.aio.insecure_channel(f"unix:{root / 'kubelet.sock'}") as channel,
        ):

            async def ask(name: str, request: str, answer: str, **fields: Any) -> Any:
                call: Any = channel.unary_unary(f"/v1.PodResourcesLister/{name}")
                return messages()[answer].FromString(await call(messages()[request](**fields).SerializeToString()))

            await story(ask)

    asyncio.run(main())
    asked = "kubelet_pod_resources_endpoint_requests_total"
    return int(metrics.registry.get_sample_value(asked, {"server_api_version": "v1"}) or 0)


def test_what_pods_have_that_are_not_over(tmp_path: Path) -> None:
    async def story(ask: Ask) -> None:
        before = DEVICES.refreshed
        answer = await ask("List", "ListPodResourcesRequest", "ListPodResourcesResponse")
        assert DEVICES.refreshed == before + 1
        expected = messages()["PodResources"](name="web", namespace="default", containers=[
            {"name": "side", "cpu_ids": [0]}, {"name": "app", "devices": [FOO], "cpu_ids": [1]},
        ])  # fmt: skip
        assert list(answer.pod_resources) == [expected]

    assert serve(tmp_path, story) == 1


def test_what_one_pod_has_or_that_there_is_none(tmp_path: Path) -> None:
    async def story(ask: Ask) -> None:
        kinds = ("Get", "GetPodResourcesRequest", "GetPodResourcesResponse")
        for name in ("web", "over"):
            answer = await ask(*kinds, pod_name=name, pod_namespace="default")
            assert answer.pod_resources.name == name
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await ask(*kinds, pod_name="web", pod_namespace="other")
        assert told.value.code() is grpc.StatusCode.UNKNOWN
        assert told.value.details() == "pod web in namespace other not found"

    assert serve(tmp_path, story) == 3


def test_what_containers_may_have(tmp_path: Path) -> None:
    async def story(ask: Ask) -> None:
        answer = await ask("GetAllocatableResources", "AllocatableResourcesRequest", "AllocatableResourcesResponse")
        assert answer == messages()["AllocatableResourcesResponse"](devices=[FOO], cpu_ids=[0, 1])

    serve(tmp_path, story)


def test_who_asks_too_often_is_not_answered(tmp_path: Path) -> None:
    async def story(ask: Ask) -> None:
        kinds = ("List", "ListPodResourcesRequest", "ListPodResourcesResponse")
        await ask(*kinds)
        await ask(*kinds)
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await ask(*kinds)
        assert told.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert told.value.details() == "rejected by rate limit"

    assert serve(tmp_path, story, burst=2) == 2
