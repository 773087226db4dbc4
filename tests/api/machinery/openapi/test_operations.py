"""Paths, names and actions are upstream's: the table has them as upstream's own document has them."""

from typing import Any

import pytest

from pilothouse.api.machinery.openapi.operations import Operation, group_name, operations, version_operation
from pilothouse.api.machinery.resource import STATUS, Resource, ScalePaths, Subresource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.apps_v1 import Deployment
from pilothouse.api.types.core_v1 import Node, Pod

SCHEMAS = Schemas()
PODS: Resource[Any] = Resource(
    kind=Pod, group="", version="v1", plural="pods",
    subresources=(
        STATUS, Subresource("log", verbs=("get",)),
        Subresource("exec", kind="PodExecOptions", group="", version="v1", verbs=("create", "get")),
        Subresource("proxy", kind="PodProxyOptions", group="", version="v1", verbs=("get",)),
        Subresource("eviction", kind="Eviction", group="policy", version="v1", verbs=("create",)),
    ),
)  # fmt: skip
NODES: Resource[Any] = Resource(kind=Node, group="", version="v1", plural="nodes", namespaced=False)
DEPLOYMENTS: Resource[Any] = Resource(
    kind=Deployment, group="apps", version="v1", plural="deployments",
    subresources=(Subresource("scale", kind="Scale", group="autoscaling", version="v1", scale=ScalePaths()),),
)  # fmt: skip
ALL = {operation.id: operation for kind in (PODS, NODES, DEPLOYMENTS) for operation in operations(kind, SCHEMAS)}
POD, EVERYWHERE = "/api/v1/namespaces/{namespace}/pods/{name}", "/apis/apps/v1/deployments"
DEPLOYMENT = "/apis/apps/v1/namespaces/{namespace}/deployments"


@pytest.mark.parametrize(
    ("name", "method", "path", "action", "kind"),
    [
        ("listCoreV1NamespacedPod", "get", "/api/v1/namespaces/{namespace}/pods", "list", "Pod"),
        ("listCoreV1PodForAllNamespaces", "get", "/api/v1/pods", "list", "Pod"),
        ("listCoreV1Node", "get", "/api/v1/nodes", "list", "Node"),
        ("createCoreV1Node", "post", "/api/v1/nodes", "post", "Node"),
        ("readCoreV1NamespacedPod", "get", POD, "get", "Pod"),
        ("replaceCoreV1NamespacedPodStatus", "put", f"{POD}/status", "put", "Pod"),
        ("readCoreV1NamespacedPodLog", "get", f"{POD}/log", "get", "Pod"),
        ("connectCoreV1PostNamespacedPodExec", "post", f"{POD}/exec", "connect", "PodExecOptions"),
        ("connectCoreV1GetNamespacedPodProxyWithPath", "get", f"{POD}/proxy/{{path}}", "connect", "PodProxyOptions"),
        ("connectCoreV1HeadNamespacedPodProxy", "head", f"{POD}/proxy", "connect", "PodProxyOptions"),
        (
            "connectCoreV1OptionsNamespacedPodProxyWithPath",
            "options",
            f"{POD}/proxy/{{path}}",
            "connect",
            "PodProxyOptions",
        ),
        ("createCoreV1NamespacedPodEviction", "post", f"{POD}/eviction", "post", "Eviction"),
        ("listAppsV1DeploymentForAllNamespaces", "get", EVERYWHERE, "list", "Deployment"),
        ("deleteAppsV1CollectionNamespacedDeployment", "delete", DEPLOYMENT, "deletecollection", "Deployment"),
        ("patchAppsV1NamespacedDeployment", "patch", f"{DEPLOYMENT}/{{name}}", "patch", "Deployment"),
        ("patchAppsV1NamespacedDeploymentScale", "patch", f"{DEPLOYMENT}/{{name}}/scale", "patch", "Scale"),
    ],
)
def test_operations_are_named_as_upstream_names_them(name: str, method: str, path: str, action: str, kind: str) -> None:
    found = ALL[name]
    assert (found.method, found.path, found.action) == (method, path, action)
    assert found.kind is not None
    assert found.kind[2] == kind


def test_only_a_proxy_passes_on_what_has_no_verb() -> None:
    assert [name for name in ALL if "PodExec" in name] == [
        "connectCoreV1PostNamespacedPodExec", "connectCoreV1GetNamespacedPodExec",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "body", "returns"),
    [
        ("createCoreV1NamespacedPod", "Pod", "Pod"),
        ("listCoreV1NamespacedPod", "", "PodList"),
        ("patchAppsV1NamespacedDeployment", "Patch", "Deployment"),
        ("deleteCoreV1Node", "DeleteOptions", "Status"),
        ("readCoreV1NamespacedPodLog", "", ""),
        ("createCoreV1NamespacedPodEviction", "Eviction", "Eviction"),
        ("replaceAppsV1NamespacedDeploymentScale", "Scale", "Scale"),
        ("connectCoreV1GetNamespacedPodExec", "", ""),
    ],
)
def test_bodies_and_answers(name: str, body: str, returns: str) -> None:
    found = ALL[name]
    assert (found.body.rpartition(".")[2], found.returns.rpartition(".")[2]) == (body, returns)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "patchAppsV1NamespacedDeployment",
            {"namespace", "name", "pretty", "dryRun", "fieldManager", "fieldValidation", "force"},
        ),
        ("createCoreV1Node", {"pretty", "dryRun", "fieldManager", "fieldValidation"}),
        ("readCoreV1NamespacedPod", {"namespace", "name", "pretty"}),
    ],
)  # fmt: skip
def test_parameters(name: str, wanted: set[str]) -> None:
    assert {parameter.name for parameter in ALL[name].parameters} == wanted


def test_lists_can_be_watched_and_deletions_cannot() -> None:
    def names(operation: Operation) -> set[str]:
        return {parameter.name for parameter in operation.parameters}

    assert names(ALL["listCoreV1Node"]) > {"watch", "labelSelector", "continue", "allowWatchBookmarks"}
    collection = names(ALL["deleteAppsV1CollectionNamespacedDeployment"])
    assert collection > {"labelSelector", "propagationPolicy"}
    assert "watch" not in collection


@pytest.mark.parametrize(
    ("group", "name"),
    [("", "Core"), ("apps", "Apps"), ("rbac.authorization.k8s.io", "RbacAuthorization"), ("storage.k8s.io", "Storage")],
)
def test_group_names(group: str, name: str) -> None:
    assert group_name(group) == name


def test_discovery_is_an_operation_too() -> None:
    found = version_operation("rbac.authorization.k8s.io", "v1")
    assert (found.path, found.id, found.tag) == (
        "/apis/rbac.authorization.k8s.io/v1/",
        "getRbacAuthorizationV1APIResources",
        "rbacAuthorization_v1",
    )
