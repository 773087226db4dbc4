"""What is asked of the shared reconciler is in tests/reconcile/test_replicas.py; here it is on a whole server."""

import pytest

from pilothouse.api.types.core_v1 import Event, Pod, ReplicationController
from pilothouse.client.client import Client
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

LABELS = {"app": "web"}
CONTAINER = {"name": "c", "image": "example:1"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
SPEC = {"replicas": 2, "selector": LABELS, "template": TEMPLATE}


async def _pods(client: Client) -> list[Pod]:
    return list((await client.list(Pod, "default", labels="app=web")).items)


def test_pods_and_events_and_a_status_that_the_server_takes() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            manifest = {"metadata": {"name": "web", "namespace": "default"}, "spec": SPEC}
            await client.create(ReplicationController, manifest)
            await clock.sleep(5)
            assert len(await _pods(client)) == 2
            events = [found.raw for found in (await client.list(Event, "default")).items]
            told = {(found["reason"], found["source"]["component"]) for found in events}
            assert told == {("SuccessfulCreate", "replication-controller")}
            status = (await client.get(ReplicationController, "web", "default")).raw["status"]
            assert status == {"replicas": 2, "fullyLabeledReplicas": 2, "observedGeneration": 1}

    run(story)


@pytest.mark.parametrize(
    ("propagation", "left"),
    [("", 2), ("Background", 0), ("Foreground", 0)],
    ids=["its pods stay, where nobody says otherwise", "background", "foreground"],
)
def test_what_becomes_of_its_pods(propagation: str, left: int) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            manifest = {"metadata": {"name": "web", "namespace": "default"}, "spec": SPEC}
            await client.create(ReplicationController, manifest)
            await clock.sleep(5)
            await client.delete(ReplicationController, "web", "default", propagation=propagation)
            await clock.sleep(60)
            assert not (await client.list(ReplicationController, "default")).items
            pods = await _pods(client)
            assert len(pods) == left
            assert [pod for pod in pods if pod.metadata.ownerReferences] == []

    run(story)
