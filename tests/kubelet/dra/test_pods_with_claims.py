"""A pod with claims from its start to its end, on a node with a real driver."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from fakes.dra_driver import DRIVER, DraDriver
from kubelet.at_work import context
from kubelet.dra.claiming import FakeClaims, claim, uses
from kubelet.harness import FakeNode, pod
from pilothouse.kubelet.dra.contribution import WithClaimed
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.parts import dynamic_resources
from pilothouse.kubelet.plugins.handlers.dra import DraHandler
from pilothouse.kubelet.plugins.registration import register
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

CLAIMS = [{"name": "gpu", "resourceClaimName": "a"}]


class ClaimingNode(FakeNode):
    """Its pods may have claims; the API server is `claims`."""

    def __init__(self, root: Path, clock: SystemClock, tasks: Tasks, claims: FakeClaims) -> None:
        super().__init__(root, clock, tasks)
        self.claims = claims
        self.resources = self.dynamic_resources = DynamicResources(root, claims, clock, tasks)
        self.contributor = WithClaimed(self.resources, self.contributor)

    async def register(self, driver: DraDriver, tasks: Tasks) -> None:
        handler = DraHandler(context(self, tasks))
        await register(driver.registration, {handler.kind: handler}, self.clock)


Story = Callable[[ClaimingNode, DraDriver, Tasks], Coroutine[Any, Any, None]]


def serve(root: Path, story: Story) -> None:
    async def main() -> None:
        async with Tasks() as tasks, DraDriver(root) as driver:
            node = ClaimingNode(root, SystemClock(), tasks, FakeClaims())
            try:
                await story(node, driver, tasks)
            finally:
                await node.resources.plugins.close()

    asyncio.run(main())


def claimer(name: str = "web") -> dict[str, Any]:
    return pod(name, containers=[uses("gpu")], resourceClaims=CLAIMS)


def test_a_pod_waits_for_its_claim_has_it_and_gives_it_back(tmp_path: Path) -> None:
    async def story(node: ClaimingNode, driver: DraDriver, tasks: Tasks) -> None:
        node.claims.put(claim("a", "web"))
        node.add(claimer())
        failed = "Failed to prepare dynamic resources: prepare dynamic resources: "
        told = ("Warning", "FailedPrepareDynamicResources", f"{failed}DRA driver {DRIVER} is not registered")
        await node.until(lambda: told in node.told.events, 20)
        assert await node.cri.sandboxes() == []
        await node.register(driver, tasks)
        assert driver.told == [(True, "")]
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        (run,) = await node.cri.containers()
        config = node.cri.config_of(run.id)
        assert config["CDI_devices"] == [{"name": f"{DRIVER}/gpu=a"}]
        assert not any("cdi.k8s.io" in name for name in config["annotations"])
        driver.errors["a"] = "busy"
        node.delete_pod("web", grace=1)
        await node.until(lambda: "NodeUnprepareResources a" in driver.calls(), 20)
        assert "web" in node.pods, "it stays until its claim is given back"
        assert node.pods["web"].status.phase == "Running", "nor is it told that it is over"
        del driver.errors["a"]
        await node.until(lambda: "web" not in node.pods, 20)
        assert driver.ready == {}

    serve(tmp_path, story)


def test_a_pod_that_is_done_gives_its_claim_back_before_it_says_so(tmp_path: Path) -> None:
    async def story(node: ClaimingNode, driver: DraDriver, tasks: Tasks) -> None:
        node.claims.put(claim("a", "job", "next"))
        await node.register(driver, tasks)
        node.add({**claimer("job"), "spec": {**claimer("job")["spec"], "restartPolicy": "Never"}})
        await node.until(lambda: node.pods["job"].status.phase == "Running", 20)
        driver.hanging.clear()
        (run,) = await node.cri.containers()
        await node.cri.stop_container(run.id, 0)
        await node.until(lambda: "NodeUnprepareResources a" in driver.calls(), 20)
        assert node.pods["job"].status.phase == "Running"
        driver.hanging.set()
        await node.until(lambda: node.pods["job"].status.phase == "Succeeded", 20)
        assert driver.ready == {}

    serve(tmp_path, story)


def test_a_force_deleted_pod_gives_its_claim_back(tmp_path: Path) -> None:
    async def story(node: ClaimingNode, driver: DraDriver, tasks: Tasks) -> None:
        node.claims.put(claim("a", "web"))
        await node.register(driver, tasks)
        node.add(claimer())
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        node.vanish("web")
        await node.until(lambda: not driver.ready, 20)

    serve(tmp_path, story)


def test_a_pods_status_tells_how_its_devices_are(tmp_path: Path) -> None:
    async def story(node: ClaimingNode, driver: DraDriver, tasks: Tasks) -> None:
        def told() -> list[tuple[str, str, str]]:
            found = node.state().get("allocatedResourcesStatus", ())
            return [(one["name"], each["resourceID"], each["health"]) for one in found for each in one["resources"]]

        node.claims.put(claim("a", "web"))
        node.resources.on_health = node.workers.poke
        driver.services = ("v1.DRAPlugin", "v1alpha1.DRAResourceHealth", "v1.DRAResourceHealth")
        await node.register(driver, tasks)
        node.add(claimer())
        await node.until(lambda: told() == [("claim:gpu", f"{DRIVER}/gpu=a", "Unknown")], 20)
        driver.tell(a=(1, ""))
        await node.until(lambda: told() == [("claim:gpu", f"{DRIVER}/gpu=a", "Healthy")], 20)
        driver.tell(a=(2, "too hot"))
        await node.until(lambda: told()[0][2] == "Unhealthy", 20)
        assert node.state()["allocatedResourcesStatus"][0]["resources"][0]["message"] == "too hot"
        assert driver.watched == ["v1.DRAResourceHealth"]
        await node.resources.plugins.remove(DRIVER, str(driver.socket))
        await node.until(lambda: told()[0][2] == "Unknown", 20)

    serve(tmp_path, story)


def test_what_the_last_kubelet_left_is_given_back(tmp_path: Path) -> None:
    """Of a pod that was deleted meanwhile, whose containers are gone; slices and metrics are seen to as well."""

    async def story(node: ClaimingNode, driver: DraDriver, tasks: Tasks) -> None:
        node.claims.put(claim("a", "web"))
        await node.register(driver, tasks)
        node.add(claimer())
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        wiped: list[str] = []

        class Client:
            async def delete_collection(self, _kind: object, *, fields: str) -> None:
                wiped.append(fields)

        after = ClaimingNode(tmp_path, SystemClock(), tasks, node.claims)
        client: Any = Client()
        at_work = context(after, tasks, client)
        tasks.spawn(dynamic_resources.DynamicResourcesPart().run(at_work), name="part")
        handler = DraHandler(at_work)
        await register(driver.registration, {handler.kind: handler}, after.clock)
        await node.until(lambda: bool(wiped), 20)
        assert wiped == ["spec.nodeName=n1"]
        await after.resources.give_back((), _ended)
        assert driver.ready == {}
        page = at_work.metrics.page()
        for line in (
            b'dra_operations_duration_seconds_count{is_error="false",operation_name="UnprepareResources"} 1.0',
            b'driver_name="gpu.example.com",grpc_status_code="OK",method_name="/k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin/NodeUn',
            b'dra_resource_claims_in_use{driver_name="<any>"} 0.0',
        ):
            assert line in page, page.decode()

    serve(tmp_path, story)


async def _ended(_uid: str) -> bool:
    return True


def test_a_container_without_its_claim_is_not_made(tmp_path: Path) -> None:
    async def story(node: ClaimingNode, driver: DraDriver, tasks: Tasks) -> None:
        web = node._store(claimer())
        with pytest.raises(ConfigError, match="unable to get claim info for ResourceClaim a"):
            await node.contributor.contribute(web, web.spec.containers[0])

    serve(tmp_path, story)
