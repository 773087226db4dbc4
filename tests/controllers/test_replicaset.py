"""What is asked of the shared reconciler is in tests/reconcile/test_replicas.py; here it is on a whole server."""

from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import Event, Pod
from pilothouse.controllers.main import ControllersConfig
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

LABELS = {"app": "web"}
CONTAINER = {"name": "c", "image": "example:1"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
SPEC = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": TEMPLATE}


def test_pods_and_events_and_a_status_that_the_server_takes() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster:
            client = cluster.client()
            await client.create(ReplicaSet, {"metadata": {"name": "web", "namespace": "default"}, "spec": SPEC})
            await clock.sleep(5)
            assert len((await client.list(Pod, "default", labels="app=web")).items) == 2
            events = [found.raw for found in (await client.list(Event, "default")).items]
            told = {(found["reason"], found["source"]["component"]) for found in events}
            assert told == {("SuccessfulCreate", "replicaset-controller")}
            status = (await client.get(ReplicaSet, "web", "default")).raw["status"]
            assert status == {"replicas": 2, "fullyLabeledReplicas": 2, "terminatingReplicas": 0,
                              "observedGeneration": 1}  # fmt: skip

    run(story)
