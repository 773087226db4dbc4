"""What a deletion leaves for the garbage collector."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import ADMIN, Cluster
from pilothouse.testing.loop import run

TEMPLATE: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
JOB = {"spec": {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}}
CONTROLLER = {"spec": {"selector": {"a": "b"}, "template": TEMPLATE}}
REPLICA_SET = {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}}
POD = {"spec": {**TEMPLATE["spec"], "nodeName": "n"}}
EVENT: dict[str, Any] = {"involvedObject": {"namespace": "ns"}}
MAPS, JOBS, SETS = (
    "/api/v1/namespaces/ns/configmaps",
    "/apis/batch/v1/namespaces/ns/jobs",
    "/apis/apps/v1/namespaces/ns/replicasets",
)
CONTROLLERS, PODS, EVENTS = (
    f"/api/v1/namespaces/ns/{plural}" for plural in ("replicationcontrollers", "pods", "events")
)
ORPHAN, FOREGROUND, OTHER = "orphan", "foregroundDeletion", "example.com/x"
GONE = None


class Api:
    def __init__(self, cluster: Cluster) -> None:
        self._transport = HandlerTransport(cluster.server.handle, ADMIN)
        self.warnings: list[str] = []

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        answer = await self._transport.send(method, path, headers, orjson.dumps(body) if body is not None else b"")
        self.warnings.append(answer.headers.get("warning", ""))
        found: dict[str, Any] = orjson.loads(answer.body)
        return found

    async def make(self, path: str, body: dict[str, Any], finalizers: Sequence[str] = ()) -> None:
        made = await self.ask("POST", path, {"metadata": {"name": "a", "finalizers": [*finalizers]}, **body})
        assert made["metadata"].get("uid"), made

    async def delete(self, path: str, **options: Any) -> list[str] | None:
        """Delete it; returns the finalizers that are left on it, or None when it is gone."""
        await self.ask("DELETE", f"{path}/a", {"kind": "DeleteOptions", "apiVersion": "v1", **options})
        found = await self.ask("GET", f"{path}/a")
        return None if found["kind"] == "Status" else found["metadata"].get("finalizers", [])


@pytest.mark.parametrize(
    ("path", "body", "before", "options", "after"),
    [
        (MAPS, {}, [], {}, GONE),
        (MAPS, {}, [], {"propagationPolicy": "Background"}, GONE),
        (MAPS, {}, [], {"propagationPolicy": "Foreground"}, [FOREGROUND]),
        (MAPS, {}, [], {"propagationPolicy": "Orphan"}, [ORPHAN]),
        (MAPS, {}, [], {"orphanDependents": True}, [ORPHAN]),
        (MAPS, {}, [], {"orphanDependents": False}, GONE),
        (MAPS, {}, [ORPHAN, OTHER], {}, [OTHER, ORPHAN]),
        (MAPS, {}, [ORPHAN, OTHER], {"propagationPolicy": "Foreground"}, [OTHER, FOREGROUND]),
        (MAPS, {}, [FOREGROUND], {"propagationPolicy": "Background"}, GONE),
        (MAPS, {}, [FOREGROUND], {"orphanDependents": True}, [ORPHAN]),
        (MAPS, {}, [FOREGROUND], {"orphanDependents": False}, GONE),
        (SETS, REPLICA_SET, [], {}, GONE),
        (JOBS, JOB, [], {}, [ORPHAN]),
        (JOBS, JOB, [FOREGROUND], {}, [FOREGROUND]),
        (JOBS, JOB, [], {"propagationPolicy": "Background"}, GONE),
        (JOBS, JOB, [], {"orphanDependents": False}, GONE),
        (CONTROLLERS, CONTROLLER, [], {}, [ORPHAN]),
        (CONTROLLERS, CONTROLLER, [], {"propagationPolicy": "Foreground"}, [FOREGROUND]),
        (EVENTS, EVENT, [], {"propagationPolicy": "Foreground"}, GONE),
        (PODS, POD, [], {"propagationPolicy": "Foreground"}, [FOREGROUND]),
    ],
)  # fmt: skip
def test_what_becomes_of_dependents_is_left_as_a_finalizer(
    path: str, body: dict[str, Any], before: list[str], options: dict[str, Any], after: list[str] | None
) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            api = Api(cluster)
            await api.make(path, body, before)
            assert await api.delete(path, **options) == after

    run(story)


def test_who_changes_his_mind_is_obeyed_unless_the_end_has_its_time() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            api = Api(cluster)
            await api.make(MAPS, {})
            assert await api.delete(MAPS, propagationPolicy="Foreground") == [FOREGROUND]
            assert await api.delete(MAPS) == [FOREGROUND]
            assert await api.delete(MAPS, propagationPolicy="Orphan") == [ORPHAN]
            assert await api.delete(MAPS, propagationPolicy="Background") is GONE
            await api.make(PODS, POD, [OTHER])
            assert await api.delete(PODS) == [OTHER]
            assert await api.delete(PODS, propagationPolicy="Foreground") == [OTHER]
            assert await api.delete(PODS, propagationPolicy="Foreground", gracePeriodSeconds=60) == [OTHER]
            assert await api.delete(PODS, propagationPolicy="Foreground", gracePeriodSeconds=5) == [OTHER, FOREGROUND]

    run(story)


def test_who_leaves_the_pods_of_a_job_behind_unasked_is_told() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance) as cluster:
            api = Api(cluster)
            await api.make(JOBS, JOB, [OTHER])
            for path in (f"{JOBS}/a", JOBS):
                await api.ask("DELETE", path)
                assert "child pods are preserved by default when jobs are deleted" in api.warnings[-1]
                await api.ask("DELETE", f"{path}?propagationPolicy=Orphan")
                assert api.warnings[-1] == ""

    run(story)
