"""The quota controller and admission together, in a cluster in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pilothouse.api.catalogue import Catalogue, builtin
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import ConfigMap, Pod, ResourceQuota, Secret
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.controllers.main import ControllersConfig
from pilothouse.controllers.resource_quota import ResourceQuotaController
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import run

NAMESPACE = "default"
MANAGER = ControllersConfig(controllers=("resourcequota-controller", "serviceaccount-controller"))
SETTLED = 5.0


def story(told: Callable[[Cluster, Client, LoopClock], Awaitable[None]]) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=MANAGER) as cluster:
            await clock.sleep(SETTLED)
            await told(cluster, cluster.client(), clock)

    run(main)


async def limit(client: Client, clock: LoopClock, hard: dict[str, str], name: str = "q", **spec: Any) -> None:
    """Make a quota, and wait until it is counted."""
    await client.create(
        ResourceQuota, {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": {"hard": hard, **spec}}
    )
    await clock.sleep(SETTLED)


async def used(client: Client, name: str = "q") -> dict[str, str]:
    return dict((await client.get(ResourceQuota, name, NAMESPACE)).status.used)


def config_map(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": NAMESPACE}}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    requests = {"requests": {"cpu": "1", "memory": "1Gi"}}
    container = {"name": "c", "image": "example:1", "resources": spec.pop("resources", requests)}
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": {"containers": [container], **spec}}


async def refusal(attempt: Awaitable[object]) -> str:
    with pytest.raises(Forbidden) as error:
        await attempt
    return error.value.message


def test_a_new_quota_is_counted() -> None:
    async def told(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await client.create(ConfigMap, config_map("a"))
        await client.create(Pod, pod("a"))
        hard = {"configmaps": "5", "pods": "2", "cpu": "3", "count/replicasets.apps": "1", "resourcequotas": "1"}
        await limit(client, clock, {**hard, "example.com/of-nobody": "1"})
        quota = await client.get(ResourceQuota, "q", NAMESPACE)
        assert dict(quota.status.hard) == {**hard, "example.com/of-nobody": "1"}
        counted = {"configmaps": "1", "pods": "1", "cpu": "1", "count/replicasets.apps": "0", "resourcequotas": "1"}
        assert dict(quota.status.used) == counted

    story(told)


def test_what_is_new_is_charged_and_what_is_gone_given_back() -> None:
    async def told(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await limit(client, clock, {"configmaps": "1"})
        await client.create(ConfigMap, config_map("a"))
        assert await used(client) == {"configmaps": "1"}
        said = await refusal(client.create(ConfigMap, config_map("b")))
        assert said == (
            'configmaps "b" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, '
            "limited: configmaps=1"
        )
        await client.delete(ConfigMap, "a", NAMESPACE)
        await clock.sleep(SETTLED)
        assert await used(client) == {"configmaps": "0"}
        await client.create(ConfigMap, config_map("b"))

    story(told)


def test_the_last_place_is_given_once() -> None:
    async def told(cluster: Cluster, client: Client, clock: LoopClock) -> None:
        await limit(client, clock, {"configmaps": "10"})
        attempts = [client.create(ConfigMap, config_map(f"c{number}")) for number in range(30)]
        found = await asyncio.gather(*attempts, return_exceptions=True)
        assert len([one for one in found if isinstance(one, Forbidden)]) == 20
        assert len([one for one in found if isinstance(one, ConfigMap)]) == 10
        assert await used(client) == {"configmaps": "10"}

    story(told)


def bare(told: Callable[[Client, LoopClock, ResourceQuotaController], Awaitable[None]], *unknown: str) -> None:
    """A story of the controller alone, without admission. It does not know the kinds `unknown` by itself."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        known = Catalogue(one for one in builtin() if one.plural not in unknown)
        async with Cluster(clock, chance) as cluster, Tasks() as tasks:
            client = Client(HandlerTransport(cluster.server.handle, ADMIN), known, clock, memo=Memo())
            (controller,) = run_all((ResourceQuotaController,), lambda _: client, clock, chance, tasks)
            assert isinstance(controller, ResourceQuotaController)
            await told(cluster.client(), clock, controller)

    run(main)


def test_what_uses_more_or_less_is_counted_anew() -> None:
    async def told(client: Client, clock: LoopClock, _: ResourceQuotaController) -> None:
        await client.create(Pod, pod("a"))
        await client.create(Pod, pod("b", activeDeadlineSeconds=60))
        await limit(client, clock, {"pods": "5", "requests.memory": "5Gi", "count/pods": "9"})
        await limit(client, clock, {"pods": "5"}, "ending", scopes=["Terminating"])
        assert await used(client) == {"pods": "2", "requests.memory": "2Gi", "count/pods": "2"}
        assert await used(client, "ending") == {"pods": "1"}
        await client.patch(Pod, "a", NAMESPACE, {"status": {"phase": "Succeeded"}}, subresource="status")
        await clock.sleep(SETTLED)
        assert await used(client) == {"pods": "1", "requests.memory": "1Gi", "count/pods": "2"}
        await client.delete(Pod, "b", NAMESPACE, grace_period=0)
        await clock.sleep(SETTLED)
        assert await used(client) == {"pods": "0", "requests.memory": "0", "count/pods": "1"}
        assert await used(client, "ending") == {"pods": "0"}

    bare(told)


def test_what_is_charged_is_not_counted_at_once_but_in_time() -> None:
    async def told(client: Client, clock: LoopClock, _: ResourceQuotaController) -> None:
        await limit(client, clock, {"secrets": "5"})
        current = await client.get(ResourceQuota, "q", NAMESPACE)
        status = {**current.status.raw, "used": {"secrets": "3"}}
        await client.update(ResourceQuota, {**current.raw, "status": status}, subresource="status")
        await client.create(Secret, config_map("a"))
        await clock.sleep(SETTLED)
        assert await used(client) == {"secrets": "3"}
        await clock.sleep(300)
        assert await used(client) == {"secrets": "1"}

    bare(told)


def test_what_the_spec_and_the_status_say_is_the_same_soon() -> None:
    async def told(client: Client, clock: LoopClock, controller: ResourceQuotaController) -> None:
        await limit(client, clock, {"configmaps": "5", "secrets": "1"})
        await client.patch(ResourceQuota, "q", NAMESPACE, {"spec": {"hard": {"secrets": None, "configmaps": "6"}}})
        await clock.sleep(SETTLED)
        quota = await client.get(ResourceQuota, "q", NAMESPACE)
        assert quota.status.raw == {"hard": {"configmaps": "6"}, "used": {"configmaps": "0"}}
        patch = {"status": {"hard": {"configmaps": "7"}}}
        await client.patch(ResourceQuota, "q", NAMESPACE, patch, subresource="status")
        await clock.sleep(SETTLED)
        assert dict((await client.get(ResourceQuota, "q", NAMESPACE)).status.hard) == {"configmaps": "6"}
        assert set(controller._monitors.kinds) == {("", "configmaps"), ("", "secrets")}
        await clock.sleep(60)
        assert controller._monitors.kinds == [("", "configmaps")]
        await client.delete(ResourceQuota, "q", NAMESPACE)
        await clock.sleep(70)
        assert controller._monitors.kinds == []

    bare(told)


def replica_set(name: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "example:1"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def test_a_kind_that_is_not_built_in_is_discovered() -> None:
    async def told(client: Client, clock: LoopClock, controller: ResourceQuotaController) -> None:
        await client.create(ReplicaSet, replica_set("a"))
        await limit(client, clock, {"count/replicasets.apps": "5", "count/nothings.example.com": "5", "secrets": "1"})
        assert await used(client) == {"count/replicasets.apps": "1", "secrets": "0"}
        await client.delete(ReplicaSet, "a", NAMESPACE)
        await clock.sleep(SETTLED)
        assert await used(client) == {"count/replicasets.apps": "0", "secrets": "0"}

    bare(told, "replicasets")


@pytest.mark.parametrize("name", ["count/nodes", "count/events", "count/events.events.k8s.io"])
def test_what_no_quota_counts(name: str) -> None:
    async def told(client: Client, clock: LoopClock, controller: ResourceQuotaController) -> None:
        await limit(client, clock, {name: "5"})
        quota = await client.get(ResourceQuota, "q", NAMESPACE)
        assert quota.status.raw.get("used", {}) == {}
        assert dict(quota.status.hard) == {name: "5"}
        assert controller._monitors.kinds == []

    bare(told)
