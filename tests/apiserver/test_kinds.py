"""Kinds through the whole server: the least that is accepted, and that writing it again changes nothing.

Whoever leaves out what the server filled in, or sends back what he read, has asked for nothing new: neither generation
nor resourceVersion may move.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

JSON = {"content-type": "application/json"}
LABELS = {"app": "x"}
POD = {"containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 80}]}]}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
ENDING = {"spec": {**POD, "restartPolicy": "Never"}}
SELECTED = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
CLAIM = {
    "metadata": {"name": "d"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
TARGET = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}, "maxReplicas": 3}

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("/apis/apps/v1/namespaces/default/daemonsets", {"spec": SELECTED}),
    ("/apis/apps/v1/namespaces/default/statefulsets", {"spec": {**SELECTED, "volumeClaimTemplates": [CLAIM]}}),
    ("/apis/apps/v1/namespaces/default/deployments", {"spec": SELECTED}),
    ("/apis/apps/v1/namespaces/default/replicasets", {"spec": SELECTED}),
    ("/apis/apps/v1/namespaces/default/controllerrevisions", {"data": {}, "revision": 1}),
    ("/apis/batch/v1/namespaces/default/jobs", {"spec": {"template": ENDING}}),
    (
        "/apis/batch/v1/namespaces/default/cronjobs",
        {"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": ENDING}}}},
    ),
    ("/api/v1/namespaces/default/replicationcontrollers", {"spec": {"template": TEMPLATE}}),
    ("/api/v1/namespaces/default/podtemplates", {"template": TEMPLATE}),
    ("/api/v1/namespaces/default/services", {"spec": {"ports": [{"port": 80}]}}),
    ("/api/v1/namespaces/default/serviceaccounts", {}),
    ("/api/v1/namespaces/default/configmaps", {}),
    ("/api/v1/namespaces/default/secrets", {}),
    ("/api/v1/namespaces", {}),
    ("/api/v1/namespaces/default/endpoints", {"subsets": [{"addresses": [{"ip": "10.1.1.1"}]}]}),
    ("/api/v1/namespaces/default/events", {"involvedObject": {"namespace": "default"}}),
    ("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", {"spec": TARGET}),
    ("/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers", {"spec": TARGET}),
    ("/apis/policy/v1/namespaces/default/poddisruptionbudgets", {"spec": {"minAvailable": 1}}),
]  # fmt: skip

Story = Callable[[HandlerTransport], Awaitable[None]]


def served(story: Story) -> None:
    """Run `story` against a server of its own."""

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), Schemas(), clock, chance) as server:
            server.assemble()
            await story(HandlerTransport(server.handle, None))

    run(main)


async def _send(transport: HandlerTransport, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await transport.send(method, path, JSON, orjson.dumps(body))
    found: dict[str, Any] = orjson.loads(answer.body)
    assert answer.status in (200, 201), found
    return found


@pytest.mark.parametrize(("path", "sent"), KINDS, ids=[path.removeprefix("/api") for path, _ in KINDS])
def test_the_same_again_is_no_change(path: str, sent: dict[str, Any]) -> None:
    async def story(transport: HandlerTransport) -> None:
        made = await _send(transport, "POST", path, {"metadata": {"name": "x"}, **sent})
        here = f"{path}/x"
        read = await _send(transport, "PUT", here, made)  # who sends it has written what the strategy added, too
        assert await _send(transport, "PUT", here, read) == read
        kept = {name: read["metadata"][name] for name in ("name", "resourceVersion")}
        template = made.get("spec", {}).get("template", {})
        spec = dict(sent["spec"]) if "spec" in sent else None
        if spec is not None and made["kind"] == "Job":  # its own labels are the server's to keep
            spec = {**spec, "selector": made["spec"]["selector"], "template": {**template, "spec": ENDING["spec"]}}
        again = await _send(transport, "PUT", here, {"metadata": kept, **sent, **({"spec": spec} if spec else {})})
        for later in (read, again):
            assert later["metadata"].get("generation") == made["metadata"].get("generation")
            assert {**later, "metadata": {}} == {**made, "metadata": {}}

    served(story)
