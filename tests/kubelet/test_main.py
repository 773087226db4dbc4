"""A whole kubelet, on a real API server and a fake runtime. Its pods are refused: they need nothing of the machine."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from fakes.device_plugin import RESOURCE, DevicePlugin
from kubelet.static_pods.standing import Poked, manifest
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.kubelet import main
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.identity.policy import CertificatePolicy
from pilothouse.kubelet.part import NodeContext, Part, all_parts
from pilothouse.kubelet.parts import node_allocatable
from pilothouse.kubelet.reservations import Reservations
from pilothouse.kubelet.static_pods.config import StaticPods
from pilothouse.linux.cgroups import Cgroups
from pilothouse.net.pki import Authority, Usage
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock, SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run


class Early(Part):
    """Begins before the API server is heard of, and writes down who runs then."""

    name = "early"
    early = True

    def __init__(self) -> None:
        self.met: list[list[str]] = []

    async def run(self, node: NodeContext) -> None:
        await node.services.clock.sleep(5)
        if not node.sources.is_complete:
            self.met.append([pod.metadata.name for pod in node.workers.pods().values()])


class Greeter(Part):
    """Writes down who is there."""

    name = "greeter"

    def __init__(self) -> None:
        self.met: list[str] = []

    async def run(self, node: NodeContext) -> None:
        self.met.append(node.config.node_name)


class Closer(Part):
    """Says that the machine is being shut down."""

    name = "closer"

    async def run(self, node: NodeContext) -> None:
        node.agent.shut_down(True)


@pytest.fixture(autouse=True)
def no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own control groups are nothing to these kubelets."""
    monkeypatch.setattr(Cgroups, "detect", lambda: Cgroups({}, None))


def config(root: Path, now: float, **more: Any) -> KubeletConfig:
    authority = Authority.create("test", now)
    pair = authority.issue("system:node:n1", (), addresses=("127.0.0.1",), usage=Usage.SERVER, now=now)
    return KubeletConfig(
        node_name="n1", address="127.0.0.1", root=root, logs=root / "logs", images=root, serving=pair,
        client_authority=authority.certificate, host="127.0.0.1", port=0, cgroup_root="/pilothouse-no-such-group",
        **more,
    )  # fmt: skip


async def refused(client: Client, clock: Clock) -> Pod:
    """What becomes of a pod that this node cannot run."""
    await client.create(
        Pod,
        {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "nodeName": "n1",
                "containers": [{"name": "app", "image": "app:1"}],
                "securityContext": {"supplementalGroupsPolicy": "Strict"},
                "volumes": [{"name": "v", "configMap": {"name": "c"}}],
            },
        },
    )
    async with clock.timeout(30):
        while (pod := await client.get(Pod, "web", "default")).status.phase != "Failed":
            await clock.sleep(0.5)
    return pod


def test_a_node_registers_tells_of_its_pods_and_sets_its_parts_to_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    greeter = Greeter()
    monkeypatch.setattr(main, "all_parts", lambda: [*all_parts(), greeter])

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client, ready = cluster.client(), list[bool]()
            cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",), (), 7)})
            kubelet = main.run(config(tmp_path, clock.now()), client, cri, clock, chance, lambda: ready.append(True))
            tasks.spawn(kubelet, name="kubelet")
            async with clock.timeout(30):
                while not ready:
                    await clock.sleep(0.1)
            assert [*(await client.get(Node, "n1")).status.images[0].names] == ["app:1"]
            pod = await refused(client, clock)
            assert greeter.met == ["n1"]
            assert pod.status.reason == "SupplementalGroupsPolicyNotSupported"
            assert "watch of ConfigMap default/c" in {task.get_name() for task in asyncio.all_tasks()}
            tasks.cancel_all()

    run(story)


def test_a_node_whose_machine_is_shut_down_is_not_ready_and_takes_no_pods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "all_parts", lambda: [*all_parts(), Closer()])

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            tasks.spawn(main.run(config(tmp_path, clock.now()), client, FakeCri(clock), clock, chance), name="kubelet")
            pod = {"containers": [{"name": "app", "image": "app:1"}], "nodeName": "n1"}
            await clock.sleep(5)
            await client.create(Pod, {"metadata": {"name": "web", "namespace": "default"}, "spec": pod})
            async with clock.timeout(30):
                while (found := await client.get(Pod, "web", "default")).status.phase != "Failed":
                    await clock.sleep(0.5)
            assert found.status.reason == "NodeShutdown"
            told = (await client.get(Node, "n1")).status.conditions
            assert [one.message for one in told if one.type == "Ready"] == ["node is shutting down"]
            tasks.cancel_all()

    run(story)


def test_a_pod_s_start_is_written_no_more_often_than_it_changes(tmp_path: Path) -> None:
    """Beside the API server's own merging: what it keeps of an older status would be written again at every look."""

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client, revisions = cluster.client(), list[Pod]()
            cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",), (), 7)})
            tasks.spawn(main.run(config(tmp_path, clock.now()), client, cri, clock, chance), name="kubelet")
            await clock.sleep(5)
            app = {"name": "app", "image": "app:1", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
            spec = {
                "nodeName": "n1", "hostNetwork": True, "automountServiceAccountToken": False, "containers": [app],
                "tolerations": [{"operator": "Exists"}], "volumes": [{"name": "v", "emptyDir": {}}],
            }  # fmt: skip
            async with client.watch(Pod, "default") as events:
                await client.create(Pod, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
                with suppress(TimeoutError):
                    async with clock.timeout(300):
                        async for event in events:
                            if event.type != "BOOKMARK":
                                revisions.append(event.object)
            ready = [one.raw for one in revisions[-1].status.conditions if one.type in ("Ready", "ContainersReady")]
            assert [(one["status"], one.get("reason"), one.get("message")) for one in ready] == [
                ("True", None, None)
            ] * 2
            assert [one.status.phase for one in revisions] == ["Pending", "Pending", "Running"]
            tasks.cancel_all()

    run(story)


def test_devices_of_a_plugin_are_told_and_handed_out(tmp_path: Path) -> None:
    """In real time: there is somebody at the other end of a socket."""

    async def story() -> None:
        clock, chance = SystemClock(), Chance(1)
        socket = tmp_path / "device-plugins" / "kubelet.sock"
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            cri = FakeCri(clock, present={"app:1": Image("sha256:app", ("app:1",))})
            tasks.spawn(main.run(config(tmp_path, clock.now()), client, cri, clock, chance), name="kubelet")

            async def until(what: Callable[[], Awaitable[bool]]) -> None:
                async with clock.timeout(30):
                    while not await what():
                        await clock.sleep(0.02)

            async def there() -> bool:
                return socket.exists() and any((await client.list(Node)).items)

            async def told() -> bool:
                return (await client.get(Node, "n1")).status.allocatable.get(RESOURCE) == "1"

            async def refused() -> bool:
                return (await client.get(Pod, "web", "default")).status.phase == "Failed"

            await until(there)
            async with DevicePlugin(socket.with_name("foo.sock"), a="Healthy", b="Unhealthy") as plugin:
                await plugin.register(socket)
                await until(told)
                assert (await client.get(Node, "n1")).status.capacity[RESOURCE] == "2"
                amount = {RESOURCE: "2"}
                app = {"name": "app", "image": "app:1", "resources": {"limits": amount, "requests": amount}}
                await client.create(
                    Pod,
                    {
                        "metadata": {"name": "web", "namespace": "default"},
                        "spec": {"nodeName": "n1", "containers": [app]},
                    },
                )
                await until(refused)
                status = (await client.get(Pod, "web", "default")).status
                assert status.reason == "UnexpectedAdmissionError"
                assert "requested number of devices unavailable for example.com/foo. Requested: 2" in status.message
                tasks.cancel_all()

    asyncio.run(story())


def test_static_pods_wait_for_no_api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early, greeter = Early(), Greeter()
    others = [part for part in all_parts() if part.name != "static pods"]
    monkeypatch.setattr(main, "all_parts", lambda: [*others, Poked(), early, greeter])
    monkeypatch.setattr(node_allocatable, "limit_pods", lambda *_: False)  # it would be done too soon to be seen
    directory = tmp_path / "manifests"
    directory.mkdir()
    strict = manifest(securityContext={"supplementalGroupsPolicy": "Strict"})
    (directory / "web.json").write_bytes(orjson.dumps(strict))

    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = cluster.client()
            away, create = [True], client.create

            async def reached(kind: Any, *args: Any, **more: Any) -> Any:
                if away and kind is Node:
                    raise ConnectionRefusedError(111, "refused")
                return await create(kind, *args, **more)

            monkeypatch.setattr(client, "create", reached)
            wanted = config(tmp_path, clock.now(), static_pods=StaticPods(path=directory))
            tasks.spawn(main.run(wanted, client, FakeCri(clock), clock, chance), name="kubelet")
            await clock.sleep(10)
            assert early.met == [["web-n1"]]
            at_work = {task.get_name() for task in asyncio.all_tasks()}
            assert {"log rotation", "eviction", "node allocatable"} <= at_work
            assert "class weights" not in at_work
            assert greeter.met == []
            away.clear()
            async with clock.timeout(60):
                while not (found := await client.list(Pod, "default")).items or not found.items[0].status.reason:
                    await clock.sleep(0.5)
            assert found.items[0].metadata.name == "web-n1"
            assert found.items[0].status.reason == "SupplementalGroupsPolicyNotSupported"
            assert greeter.met == ["n1"]
            tasks.cancel_all()

    run(story)


def test_a_node_that_keeps_more_than_it_has_does_not_start(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            wanted = config(tmp_path, clock.now(), reservations=Reservations(system={"memory": "1Pi"}))
            with pytest.raises(ValueError, match=r'Resource "memory" has a reservation of .* Expected capacity'):
                await main.run(wanted, cluster.client(), FakeCri(clock), clock, chance)

    run(story)


def test_the_serving_certificate_is_asked_for_where_that_is_wanted(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            wanted = config(tmp_path, clock.now(), certificates=CertificatePolicy(server_tls_bootstrap=True))
            tasks.spawn(main.run(wanted, cluster.client(), FakeCri(clock), clock, chance), name="kubelet")
            async with clock.timeout(30):
                while not (asked := (await cluster.client().list(CertificateSigningRequest)).items):
                    await clock.sleep(0.5)
            assert [one.spec.signerName for one in asked] == ["kubernetes.io/kubelet-serving"]
            tasks.cancel_all()

    run(story)


@pytest.fixture(autouse=True)
def _no_group_stays() -> Iterator[None]:
    """As root the kubelet makes its control group."""
    yield
    Cgroups.detect().remove("/pilothouse-no-such-group")
