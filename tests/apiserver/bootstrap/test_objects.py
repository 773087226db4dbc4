"""What a cluster begins with is made once: a second start finds it and leaves it as it is."""

import pytest

from pilothouse.api.types.core_v1 import Namespace, Service
from pilothouse.api.types.scheduling_v1 import PriorityClass
from pilothouse.apiserver.bootstrap.objects import NAMESPACES, make_manifests, make_objects
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

DNS = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "kube-dns", "namespace": "kube-system"},
    "spec": {"clusterIP": "10.96.0.10", "ports": [{"port": 53, "protocol": "UDP"}]},
}


def test_a_second_start_changes_nothing() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(controllers=())) as cluster:
            client = cluster.client()
            await make_manifests(client, [DNS])
            await client.patch(Service, "kube-dns", "kube-system", {"metadata": {"labels": {"mine": "x"}}})
            before = await client.get(Service, "kube-dns", "kube-system")
            for _ in range(2):
                await make_objects(client)
                await make_manifests(client, [DNS])
            after = await client.get(Service, "kube-dns", "kube-system")
            assert after.metadata.resourceVersion == before.metadata.resourceVersion
            names = {namespace.metadata.name for namespace in (await client.list(Namespace)).items}
            assert names == set(NAMESPACES)
            assert (await client.get(PriorityClass, "system-node-critical")).value == 2000001000

    run(story)


def test_a_kind_that_is_not_served_is_an_error() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            with pytest.raises(LookupError, match="Thing is not served"):
                await make_manifests(cluster.client(), [{"apiVersion": "example.org/v1", "kind": "Thing"}])

    run(story)
