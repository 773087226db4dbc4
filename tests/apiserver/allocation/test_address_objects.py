from typing import Any

import pytest

from pilothouse.api.networking.ip_address import ALLOCATOR, FAMILY, MANAGED_BY
from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.networking_v1 import IPAddress
from pilothouse.apiserver.allocation.address_objects import Holder, Mending, address_object, plan_mending
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

WEB, API = Holder("default", "web"), Holder("default", "api")
OURS = address_object("10.96.0.9", WEB)
OTHERS = {"metadata": {"name": "10.96.0.9"}, "spec": {"parentRef": {"resource": "gateways", "name": "g"}}}
UNLABELLED = {**OURS, "metadata": {"name": "10.96.0.9"}}


@pytest.mark.parametrize(
    ("holders", "found", "mending"),
    [
        ([], None, Mending()),
        ([], OURS, Mending(delete=True)),
        ([], OTHERS, Mending()),
        ([WEB], None, Mending(create=OURS)),
        ([WEB], OURS, Mending()),
        ([API, WEB], OURS, Mending()),
        ([WEB], OTHERS, Mending(delete=True, create=OURS)),
        ([WEB], UNLABELLED, Mending(delete=True, create=OURS)),
        ([WEB], address_object("10.96.0.9", API), Mending(delete=True, create=OURS)),
    ],
)
def test_what_is_done(holders: list[Holder], found: dict[str, Any] | None, mending: Mending) -> None:
    assert plan_mending("10.96.0.9", holders, found) == mending


def test_what_an_object_says() -> None:
    assert address_object("fd00::9", WEB) == {
        "metadata": {"name": "fd00::9", "labels": {FAMILY: "IPv6", MANAGED_BY: ALLOCATOR}},
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "web"}},
    }


async def _held(client: Client) -> dict[str, str]:
    """Addresses, and the names of who has them."""
    return {one.metadata.name: one.spec.parentRef.name for one in (await client.list(IPAddress)).items}


def test_they_follow_the_services() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            manifest = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}}
            address = (await client.create(Service, manifest)).spec.clusterIP
            await clock.sleep(1)
            assert await _held(client) == {address: "web"}
            await client.delete(IPAddress, address)
            await clock.sleep(1)
            assert await _held(client) == {address: "web"}, "it is made again"
            before = await cluster.store.revision()
            await client.patch(Service, "web", "default", {"metadata": {"labels": {"a": "b"}}})
            await clock.sleep(60)
            assert await cluster.store.revision() == before + 1, "what is right is not written again"
            await client.patch(Service, "web", "default", {"spec": {"type": "ExternalName", "externalName": "x.org"}})
            await clock.sleep(1)
            assert await _held(client) == {}
            await client.create(Service, {**manifest, "metadata": {"name": "api", "namespace": "default"}})
            await client.delete(Service, "api", "default")
            await clock.sleep(1)
            assert await _held(client) == {}

    run(story)
