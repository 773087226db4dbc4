"""The priority levels and flow schemas that every cluster begins with.

Mandatory ones stay as they are here whatever anybody does; suggested ones may be changed, which ends their upkeep.
Source: "Default objects" of the API priority and fairness docs; apiserver/pkg/apis/flowcontrol/bootstrap/default.go.
"""

from typing import Any

from pilothouse.api.flowcontrol.mandatory import EXEMPT, LEVELS, SCHEMAS
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.user import AUTHENTICATED_GROUP, NODES_GROUP, UNAUTHENTICATED_GROUP

_GROUP_VERSION = "flowcontrol.apiserver.k8s.io/v1"
_EVERYBODY = (UNAUTHENTICATED_GROUP, AUTHENTICATED_GROUP)
_LEADING = ("get", "create", "update")


def _object(kind: str, name: str, spec: JsonObject) -> JsonObject:
    return {"apiVersion": _GROUP_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _level(name: str, spec: JsonObject) -> JsonObject:
    return _object("PriorityLevelConfiguration", name, spec)


def _queued(name: str, shares: int, lendable: int, queues: int, hand: int) -> JsonObject:
    queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": 50}
    limited = {
        "nominalConcurrencyShares": shares,
        "lendablePercent": lendable,
        "limitResponse": {"type": "Queue", "queuing": queuing},
    }
    return _level(name, {"type": "Limited", "limited": limited})


def _schema(name: str, level: str, precedence: int, distinguisher: str, *rules: JsonObject) -> JsonObject:
    spec: dict[str, Any] = {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "rules": list(rules),
    }
    if distinguisher:
        spec["distinguisherMethod"] = {"type": distinguisher}
    return _object("FlowSchema", name, spec)


def _everything(*subjects: JsonObject) -> JsonObject:
    return {
        "subjects": list(subjects),
        "resourceRules": [_resources(("*",), "*", "*", cluster=True)],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }


def _resources(verbs: tuple[str, ...], group: str, *resources: str, cluster: bool = False) -> JsonObject:
    rule: dict[str, Any] = {
        "verbs": list(verbs), "apiGroups": [group], "resources": list(resources), "namespaces": ["*"],
    }  # fmt: skip
    return {**rule, "clusterScope": True} if cluster else rule


def _groups(*names: str) -> list[JsonObject]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _user(name: str) -> JsonObject:
    return {"kind": "User", "user": {"name": name}}


def _account(name: str) -> JsonObject:
    return {"kind": "ServiceAccount", "serviceAccount": {"name": name, "namespace": "kube-system"}}


_MANAGER, _SCHEDULER = _user("system:kube-controller-manager"), _user("system:kube-scheduler")
_LEASES = _resources(_LEADING, "coordination.k8s.io", "leases")
_NODE_HEALTH = [
    _resources(("*",), "", "nodes", "nodes/status", cluster=True),
    _resources(("*",), "coordination.k8s.io", "leases"),
]
_PROBES = {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}

MANDATORY_LEVELS = tuple(_level(name, spec) for name, spec in LEVELS.items())
SUGGESTED_LEVELS = (
    _queued("system", 30, 33, 64, 6),
    _queued("node-high", 40, 25, 64, 6),
    _queued("leader-election", 10, 0, 16, 4),
    _queued("workload-high", 40, 50, 128, 6),
    _queued("workload-low", 100, 90, 128, 6),
    _queued("global-default", 20, 50, 128, 6),
)
MANDATORY_SCHEMAS = tuple(_object("FlowSchema", name, spec) for name, spec in SCHEMAS.items())
SUGGESTED_SCHEMAS = (
    _schema("system-nodes", "system", 500, "ByUser", _everything(*_groups(NODES_GROUP))),
    _schema(
        "system-node-high", "node-high", 400, "ByUser",
        {"subjects": _groups(NODES_GROUP), "resourceRules": _NODE_HEALTH},
    ),
    _schema("probes", EXEMPT, 2, "", {"subjects": _groups(*_EVERYBODY), "nonResourceRules": [_PROBES]}),
    _schema(
        "system-leader-election", "leader-election", 100, "ByUser",
        {"subjects": [_MANAGER, _SCHEDULER, _account("*")], "resourceRules": [_LEASES]},
    ),
    _schema(
        "endpoint-controller", "workload-high", 150, "ByUser",
        {
            "subjects": [_MANAGER, _account("endpoint-controller"), _account("endpointslicemirroring-controller")],
            "resourceRules": [_resources(_LEADING, "", "endpoints")],
        },
    ),
    _schema(
        "workload-leader-election", "leader-election", 200, "ByUser",
        {"subjects": [_account("*")], "resourceRules": [_LEASES]},
    ),
    _schema("kube-controller-manager", "workload-high", 800, "ByNamespace", _everything(_MANAGER)),
    _schema("kube-scheduler", "workload-high", 800, "ByNamespace", _everything(_SCHEDULER)),
    _schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", _everything(_account("*"))),
    _schema("service-accounts", "workload-low", 9000, "ByUser", _everything(*_groups("system:serviceaccounts"))),
    _schema("global-default", "global-default", 9900, "ByUser", _everything(*_groups(*_EVERYBODY))),
)  # fmt: skip
