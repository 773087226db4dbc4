"""Which flow schema a request belongs to."""

from typing import Any

import pytest

from pilothouse.apiserver.authentication.framework import authenticated
from pilothouse.apiserver.flowcontrol.bootstrap import MANDATORY_SCHEMAS, SUGGESTED_SCHEMAS
from pilothouse.apiserver.flowcontrol.matching import distinguisher, in_order, matches
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User, service_account_user

POD = "/api/v1/namespaces/default/pods/a"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/a"
MANAGER = User("system:kube-controller-manager")
NODE = User("system:node:a", ("system:nodes",))
NOBODY = User("system:anonymous", ("system:unauthenticated",))


@pytest.mark.parametrize(
    ("user", "method", "target", "schema", "flow"),
    [
        (User("admin", ("system:masters",)), "GET", POD, "exempt", ""),
        (NOBODY, "GET", "/livez", "probes", ""),
        (NOBODY, "GET", "/livez/ping", "global-default", "system:anonymous"),
        (NOBODY, "GET", "/version", "global-default", "system:anonymous"),
        (MANAGER, "PUT", LEASE, "system-leader-election", MANAGER.name),
        (MANAGER, "GET", "/api/v1/namespaces/x/endpoints/a", "endpoint-controller", MANAGER.name),
        (MANAGER, "DELETE", LEASE, "kube-controller-manager", "kube-system"),
        (User("system:kube-scheduler"), "GET", "/api/v1/pods", "kube-scheduler", ""),
        (NODE, "PATCH", "/api/v1/nodes/a/status", "system-node-high", NODE.name),
        (NODE, "PUT", LEASE, "system-node-high", NODE.name),
        (NODE, "GET", POD, "system-nodes", NODE.name),
        (service_account_user("kube-system", "x", ""), "GET", LEASE, "system-leader-election", None),
        (service_account_user("kube-system", "x", ""), "GET", POD, "kube-system-service-accounts", "default"),
        (service_account_user("default", "x", ""), "GET", POD, "service-accounts", None),
        (User("me"), "GET", POD, "global-default", "me"),
    ],
)
def test_what_a_cluster_begins_with(user: User, method: str, target: str, schema: str, flow: str | None) -> None:
    info, who = parse_request_info(method, target), user if user is NOBODY else authenticated(user)
    found = next(one for one in in_order((*MANDATORY_SCHEMAS, *SUGGESTED_SCHEMAS)) if matches(one, who, info))
    assert found["metadata"]["name"] == schema
    assert distinguisher(found, who, info) == (who.name if flow is None else flow)


def schema(subject: dict[str, Any], resources: dict[str, Any] | None = None, paths: list[str] | None = None) -> Any:
    rule: dict[str, Any] = {"subjects": [subject]}
    if resources is not None:
        every = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
        rule["resourceRules"] = [every | resources]
    if paths is not None:
        rule["nonResourceRules"] = [{"verbs": ["get"], "nonResourceURLs": paths}]
    return {"metadata": {"name": "one"}, "spec": {"rules": [rule]}}


ANY = {"kind": "User", "user": {"name": "*"}}


@pytest.mark.parametrize(
    ("one", "target", "matching"),
    [
        (schema({"kind": "User", "user": {"name": "me"}}, {}), POD, True),
        (schema({"kind": "User", "user": {"name": "you"}}, {}), POD, False),
        (schema({"kind": "Group", "group": {"name": "*"}}, {}), POD, True),
        (schema({"kind": "ServiceAccount", "serviceAccount": {"name": "me", "namespace": ""}}, {}), POD, False),
        (schema(ANY, {"namespaces": ["default"]}), POD, True),
        (schema(ANY, {"namespaces": ["other"]}), POD, False),
        (schema(ANY, {"clusterScope": False}), "/api/v1/nodes", False),
        (schema(ANY, {"clusterScope": False}), POD, True),
        (schema(ANY, {"namespaces": []}), "/api/v1/nodes", True),
        (schema(ANY, {"resources": ["pods"]}), f"{POD}/status", False),
        (schema(ANY, {"resources": ["pods/status"]}), f"{POD}/status", True),
        (schema(ANY, {"apiGroups": ["apps"]}), POD, False),
        (schema(ANY, {"verbs": ["list"]}), POD, False),
        (schema(ANY, {}), "/version", False),
        (schema(ANY, None, ["/healthz/*"]), "/healthz/ping", True),
        (schema(ANY, None, ["/healthz"]), "/healthz/ping", False),
        (schema(ANY, None, ["*"]), POD, False),
    ],
)
def test_rules(one: Any, target: str, matching: bool) -> None:
    assert matches(one, User("me", ("devs",)), parse_request_info("GET", target)) is matching


def test_precedence_then_name() -> None:
    def named(name: str, precedence: int) -> Any:
        return {"metadata": {"name": name}, "spec": {"matchingPrecedence": precedence}}

    found = in_order([named("b", 5), named("c", 1), named("a", 5)])
    assert [one["metadata"]["name"] for one in found] == ["c", "a", "b"]
