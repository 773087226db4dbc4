from typing import Any

import orjson
import pytest

from fakes.api import FakeApi
from pilothouse.api.types.core_v1 import Namespace
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.controllers.namespace import (
    Content,
    NamespaceController,
    Progress,
    contents,
    count_remaining,
    plan_conditions,
)
from pilothouse.net.http import Request, Response
from pilothouse.reconcile.runner import run_all
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

ALL = ["create", "delete", "deletecollection", "get", "list"]
CORE = {"groupVersion": "v1", "resources": [
    {"name": "configmaps", "namespaced": True, "verbs": ALL},
    {"name": "nodes", "namespaced": False, "verbs": ALL},
    {"name": "pods", "namespaced": True, "verbs": ALL},
    {"name": "pods/status", "namespaced": True, "verbs": ["get", "delete"]},
    {"name": "bindings", "namespaced": True, "verbs": ["create"]},
    {"name": "services", "namespaced": True, "verbs": ["delete", "get", "list"]},
]}  # fmt: skip
APPS = {"groupVersion": "apps/v1", "resources": [{"name": "deployments", "namespaced": True, "verbs": ALL}]}
GROUPS = {"groups": [{"name": "apps", "preferredVersion": {"groupVersion": "apps/v1"}}]}
DISCOVERY = {"/api/v1": CORE, "/apis": GROUPS, "/apis/apps/v1": APPS}
PODS, MAPS = Content("", "v1", "pods"), Content("", "v1", "configmaps")


def test_what_stands_in_namespaces_and_can_be_deleted() -> None:
    found = contents([CORE, APPS])
    assert [content.label for content in found] == ["pods.", "configmaps.", "services.", "deployments.apps"]
    assert found[0].path("ns") == "/api/v1/namespaces/ns/pods"
    assert found[-1].path("ns") == "/apis/apps/v1/namespaces/ns/deployments"


@pytest.mark.parametrize(
    ("content", "items", "seconds", "finalizers"),
    [
        (PODS, [], 0, {}),
        (PODS, [{"metadata": {"deletionGracePeriodSeconds": 30}}, {"spec": {"terminationGracePeriodSeconds": 5}}],
         30, {}),
        (MAPS, [{"metadata": {}}], 0, {}),
        (MAPS, [{"metadata": {"finalizers": ["a/b", "c/d"]}}, {"metadata": {"finalizers": ["a/b"]}}], 15,
         {"a/b": 2, "c/d": 1}),
    ],
)  # fmt: skip
def test_what_remains(content: Content, items: list[Any], seconds: float, finalizers: dict[str, int]) -> None:
    progress = Progress()
    count_remaining(progress, content, items)
    assert (progress.seconds, progress.finalizers) == (seconds, finalizers)
    assert progress.is_empty is (not items)


def _conditions(progress: Progress) -> dict[str, tuple[str, str, str]]:
    planned = plan_conditions(Namespace({"metadata": {"name": "a"}}), progress, 0.0)
    return {found["type"]: (found["status"], found["reason"], found["message"]) for found in planned}


def test_the_conditions_say_what_it_waits_for() -> None:
    assert _conditions(Progress()) == {
        "NamespaceDeletionDiscoveryFailure": (
            "False", "ResourcesDiscovered", "All resources successfully discovered"),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
        "NamespaceDeletionContentFailure": (
            "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        "NamespaceContentRemaining": ("False", "ContentRemoved", "All content successfully removed"),
        "NamespaceFinalizersRemaining": (
            "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    }  # fmt: skip
    bad = _conditions(Progress(["x/v1: down"], ["denied"], {"pods.": 2, "configmaps.": 1}, {"a/b": 1}))
    assert bad["NamespaceDeletionDiscoveryFailure"] == (
        "True", "DiscoveryFailed", "Discovery failed for some groups, 1 failing: x/v1: down",
    )  # fmt: skip
    assert bad["NamespaceDeletionContentFailure"][2] == "Failed to delete all resource types, 1 remaining: denied"
    assert bad["NamespaceContentRemaining"] == (
        "True", "SomeResourcesRemain",
        "Some resources are remaining: configmaps. has 1 resource instances, pods. has 2 resource instances",
    )  # fmt: skip
    assert bad["NamespaceFinalizersRemaining"] == (
        "True", "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: a/b in 1 resource instances",
    )  # fmt: skip


class DiscoveringApi(FakeApi):
    """Answers discovery as well."""

    async def handle(self, request: Request) -> Response:
        if request.target in DISCOVERY:
            return Response(200, orjson.dumps(DISCOVERY[request.target]))
        return await super().handle(request)

    def client(self, user: str = "test") -> Client:
        return Client(HandlerTransport(self.handle, user), self.catalogue, self.clock, agent=user, memo=Memo())


def test_a_namespace_goes_when_it_is_empty() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        api = DiscoveringApi(clock)
        for name in ("a", "b"):
            api.add("v1", "Namespace", {"metadata": {"name": name}, "spec": {"finalizers": ["kubernetes"]}})
            api.add("v1", "ConfigMap", {"metadata": {"name": "m", "namespace": name}})
            api.add("v1", "Service", {"metadata": {"name": "s", "namespace": name}})
            api.add("apps/v1", "Deployment", {"metadata": {"name": "d", "namespace": name}})
            api.add("v1", "Pod", {"metadata": {"name": "p", "namespace": name},
                                  "spec": {"nodeName": "n", "terminationGracePeriodSeconds": 10}})  # fmt: skip
        async with Tasks() as tasks:
            run_all([NamespaceController], api.client, clock, chance, tasks)
            await clock.sleep(1)
            await api.client().delete(Namespace, "a")
            await clock.sleep(3)
            assert api.get("pods", "a", "p")["metadata"]["deletionTimestamp"]
            assert api.of("configmaps", "a")
            told = {each["type"]: each for each in api.get("namespaces", "", "a")["status"]["conditions"]}
            assert told["NamespaceContentRemaining"]["reason"] == "SomeResourcesRemain"
            api.remove("pods", "a", "p")
            await clock.sleep(10)
            assert [name for _, namespace, name in api.objects if namespace == "a" or name == "a"] == []
            assert len([place for place in api.objects if place[1] == "b"]) == 4

    run(main)
