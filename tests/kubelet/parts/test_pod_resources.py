"""The socket is there, and pods that are over are not listed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from kubelet.devices.handing_out import GOOD, Bench, serve, user
from kubelet.dra.claiming import Bench as ClaimBench
from kubelet.dra.claiming import claim
from kubelet.dra.claiming import serve as serve_claims
from kubelet.dra.claiming import user as claimer
from kubelet.managers.binding import Binder
from kubelet.managers.giving import Giver
from kubelet.managers.machines import GI
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.parts.pod_resources import PodResourcesApi
from pilothouse.kubelet.pod_resources import messages
from pilothouse.net.grpc_channel import GrpcChannel
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks


def test_devices_are_told_of_pods_that_are_not_over(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web, over = user("web"), user("over")
        reported = {"uid-over": Pod({**over.raw, "status": {"phase": "Succeeded"}})}
        metrics, socket = Metrics(), tmp_path / "pod-resources" / "kubelet.sock"
        services = SimpleNamespace(
            devices=bench.devices, clock=bench.clock, cpus=Giver(tmp_path).cpus, memory=Binder(tmp_path).memory,
            dynamic_resources=None,
            writer=SimpleNamespace(newest=lambda pod: reported.get(pod.metadata.uid, pod)),
        )  # fmt: skip
        workers = SimpleNamespace(pods=lambda: {"uid-web": web, "uid-over": over})
        context = cast("Any", SimpleNamespace(
            services=services, workers=workers, metrics=metrics, config=SimpleNamespace(root=tmp_path),
        ))  # fmt: skip
        async with bench.plugin(a=GOOD) as plugin, Tasks() as tasks:
            await bench.connect(plugin)
            assert await bench.refused(web) == ""
            tasks.spawn(PodResourcesApi().run(context), name="part")
            await bench.until(socket.exists)
            channel = GrpcChannel(f"unix:{socket}", None, bench.clock)
            said = messages()["ListPodResourcesResponse"].FromString(
                await channel.call("/v1.PodResourcesLister/List", b"", 10)
            )
            may = messages()["AllocatableResourcesResponse"].FromString(
                await channel.call("/v1.PodResourcesLister/GetAllocatableResources", b"", 10)
            )
            await channel.close()
            assert [list(device.device_ids) for device in may.devices] == [["a"]]
            assert list(may.cpu_ids) == [1, 2, 3, 4, 5, 6, 7]
            assert [(block.memory_type, block.size) for block in may.memory] == [("memory", 3 * GI), ("memory", 4 * GI)]
            (one,) = said.pod_resources
            (container,) = one.containers
            assert (one.name, container.name) == ("web", "app")
            assert [list(device.device_ids) for device in container.devices] == [["a"]]
        assert b'kubelet_pod_resources_endpoint_requests_total{server_api_version="v1"} 2.0' in metrics.page()

    serve(tmp_path, story)


def test_devices_by_claims_are_told_of(tmp_path: Path) -> None:
    async def story(bench: ClaimBench) -> None:
        web, metrics, socket = claimer("web", "a"), Metrics(), tmp_path / "pod-resources" / "kubelet.sock"
        services = SimpleNamespace(
            devices=None, clock=bench.clock, cpus=None, memory=None, dynamic_resources=bench.resources,
            writer=SimpleNamespace(newest=lambda pod: pod),
        )  # fmt: skip
        context = cast("Any", SimpleNamespace(
            services=services, workers=SimpleNamespace(pods=lambda: {"uid-web": web}), metrics=metrics,
            config=SimpleNamespace(root=tmp_path),
        ))  # fmt: skip
        bench.claims.put(claim("a", "web"))
        async with bench.driver() as driver, Tasks() as tasks:
            await bench.connect(driver)
            assert await bench.refused(web) == ""
            tasks.spawn(PodResourcesApi().run(context), name="part")
            await bench.until(socket.exists)
            channel = GrpcChannel(f"unix:{socket}", None, bench.clock)
            said = messages()["ListPodResourcesResponse"].FromString(
                await channel.call("/v1.PodResourcesLister/List", b"", 10)
            )
            await channel.close()
        ((resource,),) = (container.dynamic_resources for container in said.pod_resources[0].containers)
        assert (resource.claim_name, resource.claim_resources[0].driver_name) == ("a", driver.name)

    serve_claims(tmp_path, story)
