from typing import Any

import pytest

from pilothouse.api.networking.service_cidr import FINALIZER
from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.networking_v1 import ServiceCIDR
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.service_cidr import GRACE_SECONDS, contains, may_go
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

HELD = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"


def _range(name: str, *cidrs: str) -> ServiceCIDR:
    return ServiceCIDR({"metadata": {"name": name}, "spec": {"cidrs": [*cidrs]}})


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.0", False), ("10.0.0.1", True), ("10.0.0.254", True), ("10.0.0.255", False), ("10.0.1.1", False),
        ("fd00::", False), ("fd00::1", True), ("fd00::ffff", True), ("fd00::1:0", False),
    ],
)  # fmt: skip
def test_the_addresses_that_a_range_can_give(address: str, expected: bool) -> None:
    assert contains(_range("r", "10.0.0.0/24", "fd00::/112"), address) is expected


@pytest.mark.parametrize(
    ("others", "addresses", "expected"),
    [
        ([], [], True),
        ([], ["10.0.0.9"], False),
        ([], ["10.0.1.9"], True),
        ([("10.0.0.0/24",)], ["10.0.0.9"], True),
        ([("10.0.0.0/16",)], ["10.0.0.9"], True),
        ([("10.0.0.0/28",)], ["10.0.0.9"], True),
        ([("10.0.0.0/28",)], ["10.0.0.9", "10.0.0.77"], False),
        ([("10.0.0.0/28",)], ["10.0.0.15"], False),
    ],
    ids=["nothing of it is taken", "something is", "something else is", "there is the same range", "a larger one",
         "a smaller one that covers it", "not all of it", "its edge"],
)  # fmt: skip
def test_when_a_range_may_go(others: list[tuple[str, ...]], addresses: list[str], expected: bool) -> None:
    mine = _range("mine", "10.0.0.0/24")
    everyone = [mine, *(_range(f"other-{number}", *cidrs) for number, cidrs in enumerate(others))]
    assert may_go(mine, everyone, addresses) is expected


async def _state(client: Client) -> tuple[Any, ...]:
    """The range's finalizers, and what its condition says."""
    found = (await client.get(ServiceCIDR, "more")).raw
    (condition,) = found["status"]["conditions"]
    return found["metadata"]["finalizers"], condition["status"], condition.get("reason") or "", condition["message"]


def test_the_life_of_a_range() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            manifest = {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.50.0.0/24"]}}
            await client.create(ServiceCIDR, manifest)
            await clock.sleep(1)
            assert await _state(client) == ([FINALIZER], "True", "", "Kubernetes Service CIDR is ready")
            spec = {"clusterIP": "10.50.0.9", "ports": [{"port": 80}]}
            await client.create(Service, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
            await clock.sleep(1)
            await client.delete(ServiceCIDR, "more")
            await clock.sleep(60)
            assert await _state(client) == ([FINALIZER], "False", "Terminating", HELD)
            await client.delete(Service, "web", "default")
            await clock.sleep(1)
            names = [found.metadata.name for found in (await client.list(ServiceCIDR)).items]
            assert names == ["kubernetes"]

    run(story)


def test_it_waits_until_every_server_knows() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            await client.create(ServiceCIDR, {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.50.0.0/24"]}})
            await clock.sleep(1)
            await client.delete(ServiceCIDR, "more")
            await clock.sleep(GRACE_SECONDS - 2)
            assert len((await client.list(ServiceCIDR)).items) == 2
            await clock.sleep(4)
            assert len((await client.list(ServiceCIDR)).items) == 1

    run(story)
