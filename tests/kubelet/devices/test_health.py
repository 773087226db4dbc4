"""How devices are is told with the containers that have them, and told anew when they are otherwise."""

from pathlib import Path

from fakes.device_plugin import RESOURCE
from kubelet.devices.handing_out import BAD, GOOD, Bench, serve, user, wanting
from kubelet.harness import FakeNode, pod, run
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.devices import handed_out
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.kubelet.devices.handed_out import Handed, HandedOut
from pilothouse.kubelet.devices.health import with_health
from pilothouse.kubelet.devices.stock import Device
from pilothouse.runtime.tasks import Tasks


def told(status: JsonObject) -> list[object]:
    return [one.get("allocatedResourcesStatus") for one in status["containerStatuses"]]


def test_each_container_is_told_of_its_devices_by_resource() -> None:
    handed = {
        "b.com/nic": Handed.of([Device("n0")], b""),
        "a.com/gpu": Handed.of([Device("g1"), Device("g0", nodes=(0, 1)), Device("gone")], b""),
    }
    known = {"a.com/gpu": {"g0": Device("g0"), "g1": Device("g1", "on fire")}}
    claim = {"name": "claim:x", "resources": []}
    stale = {"name": "b.com/nic", "resources": []}
    status = {"phase": "Running", "containerStatuses": [
        {"name": "app", "ready": True, "allocatedResourcesStatus": [claim, stale]},
        {"name": "other"},
    ]}  # fmt: skip
    found = with_health(status, lambda name: handed if name == "app" else {}, lambda name: known.get(name, {}))
    assert found == {"phase": "Running", "containerStatuses": [
        {"name": "app", "ready": True, "allocatedResourcesStatus": [
            {"name": "a.com/gpu", "resources": [
                {"resourceID": "g0", "health": "Healthy"}, {"resourceID": "g1", "health": "Unhealthy"},
                {"resourceID": "gone", "health": "Healthy"},
            ]},
            {"name": "b.com/nic", "resources": [{"resourceID": "n0", "health": "Healthy"}]},
            claim,
        ]},
        {"name": "other"},
    ]}  # fmt: skip


def test_pods_hear_of_their_devices_alone(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        async with bench.plugin(a=GOOD, b=GOOD, c=GOOD) as plugin:
            await bench.connect(plugin)
            heard: list[str] = []
            bench.devices.on_health(heard.append)
            web, other = user("web", wanting(1), wanting(1, "two")), user("other")
            assert [await bench.refused(one) for one in (web, other)] == ["", ""]
            status = {"containerStatuses": [{"name": "app"}, {"name": "two"}]}
            plugin.set(a=GOOD, b=BAD, c=GOOD)
            await bench.until(lambda: heard == ["uid-web"])
            assert told(bench.devices.with_health(web, status)) == [
                [{"name": plugin.resource, "resources": [{"resourceID": "a", "health": "Healthy"}]}],
                [{"name": plugin.resource, "resources": [{"resourceID": "b", "health": "Unhealthy"}]}],
            ]
            plugin.set(a=GOOD, b=GOOD, c=BAD)
            await bench.until(lambda: heard[1:] == ["uid-web", "uid-other"])
            none = user("none")
            assert bench.devices.with_health(none, status) is status

    serve(tmp_path, story)


def test_the_status_of_a_pod_tells_it(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        before = HandedOut()
        before.add("uid-web", "app", RESOURCE, Handed.of([Device("a")], b""))
        handed_out.write(tmp_path / "plugins", before, {RESOURCE: ["a"]})
        async with Tasks() as tasks:
            node.devices = Devices(tmp_path / "plugins", node.clock, tasks)
            node.add(pod("web"))
            node.add(pod("other"))
            await node.until(lambda: {node.pods[name].status.phase for name in ("web", "other")} == {"Running"})

            def health() -> str:
                (one,) = node.state("web", "app")["allocatedResourcesStatus"][0]["resources"]
                return str(one["health"])

            assert health() == "Healthy"
            node.devices.stock.listed(RESOURCE, [Device("a", BAD)])
            node.workers.poke("uid-web")
            await node.until(lambda: health() == "Unhealthy")
            assert "allocatedResourcesStatus" not in node.state("other", "app")

    run(tmp_path, story)
