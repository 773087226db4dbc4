"""What pods use. Source: pkg/quota/v1/evaluator/core/pods_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.resource_quota.evaluator import Change
from pilothouse.api.core.resource_quota.evaluators.pods import Pods

NOW = 1_767_225_600.0
GOING = "2026-01-01T00:00:00Z"
PODS = Pods()


def pod(
    *containers: dict[str, Any], phase: str = "", meta: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    return {"metadata": meta or {}, "spec": {"containers": list(containers), **spec}, "status": {"phase": phase}}


def needs(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": requests or {}, "limits": limits or {}}, **more}


OBJECT = {"count/pods": "1"}
ONE = {**OBJECT, "pods": "1"}
GPU = "example.com/gpu"
CPU = {"cpu": "1", "requests.cpu": "1"}


@pytest.mark.parametrize(
    ("found", "used"),
    [
        pytest.param(pod(needs()), ONE, id="nothing"),
        pytest.param(pod(needs({"cpu": "1"})), {**ONE, **CPU}, id="cpu"),
        pytest.param(pod(needs(None, {"cpu": "2", "memory": "1Gi"})),
                     {**ONE, "limits.cpu": "2", "limits.memory": "1Gi"}, id="limits"),
        pytest.param(pod(needs({"memory": "1Gi"}), needs({"memory": "512Mi"})),
                     {**ONE, "memory": "1536Mi", "requests.memory": "1536Mi"}, id="sum"),
        pytest.param(pod(needs({"ephemeral-storage": "1G"}, {"ephemeral-storage": "2G"})),
                     {**ONE, "ephemeral-storage": "1G", "requests.ephemeral-storage": "1G",
                      "limits.ephemeral-storage": "2G"}, id="storage"),
        pytest.param(pod(needs({"hugepages-2Mi": "4Mi"}, {"hugepages-2Mi": "4Mi"})),
                     {**ONE, "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi"}, id="huge pages"),
        pytest.param(pod(needs({GPU: "3"}, {GPU: "3"})), {**ONE, f"requests.{GPU}": "3"}, id="extended"),
        pytest.param(pod(needs({"cpu": "1"}), initContainers=[needs({"cpu": "4"})]),
                     {**ONE, "cpu": "4", "requests.cpu": "4"}, id="init"),
        pytest.param(pod(needs({"cpu": "1"}), initContainers=[needs({"cpu": "2"}, restartPolicy="Always")]),
                     {**ONE, "cpu": "3", "requests.cpu": "3"}, id="sidecar"),
        pytest.param(pod(needs({"cpu": "1"}), resources={"requests": {"cpu": "5"}}),
                     {**ONE, "cpu": "5", "requests.cpu": "5"}, id="the pod as a whole"),
        pytest.param(pod(needs({"cpu": "1"}, {"cpu": "1"}), overhead={"cpu": "1", "memory": "1Mi"}),
                     {**ONE, "cpu": "2", "requests.cpu": "2", "limits.cpu": "2", "memory": "1Mi",
                      "requests.memory": "1Mi"}, id="overhead"),
        pytest.param(pod(needs({"cpu": "1"}), phase="Succeeded"), OBJECT, id="succeeded"),
        pytest.param(pod(needs({"cpu": "1"}), phase="Failed"), OBJECT, id="failed"),
        pytest.param(pod(needs({"cpu": "1"}), meta={"deletionTimestamp": GOING, "deletionGracePeriodSeconds": 0}),
                     {**ONE, **CPU}, id="it is told to end just now"),
        pytest.param(pod(needs({"cpu": "1"}), meta={"deletionTimestamp": "2025-12-31T23:59:00Z",
                                                    "deletionGracePeriodSeconds": 30}), OBJECT, id="stuck"),
    ],
)  # fmt: skip
def test_usage(found: dict[str, Any], used: dict[str, str]) -> None:
    assert {name: str(amount) for name, amount in PODS.usage(found, NOW).items()} == used


def test_a_pod_uses_what_it_has_while_it_is_resized() -> None:
    held = {"name": "c", "resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}}
    found = pod(needs({"cpu": "1"}, {"cpu": "2"}))
    found["status"]["containerStatuses"] = [held]
    used = PODS.usage(found, NOW)
    assert (str(used["requests.cpu"]), str(used["limits.cpu"])) == ("3", "4")
    assert PODS.counts_anew(pod(needs({"cpu": "1"}, {"cpu": "2"})), found, NOW)


@pytest.mark.parametrize(
    ("old", "new", "anew"),
    [
        pytest.param(pod(needs(), phase="Pending"), pod(needs(), phase="Running"), False, id="begins"),
        pytest.param(pod(needs(), phase="Running"), pod(needs(), phase="Failed"), True, id="ends"),
        pytest.param(pod(needs()), pod(needs(), activeDeadlineSeconds=5), True, id="gets a deadline"),
    ],
)
def test_when_it_is_counted_anew(old: dict[str, Any], new: dict[str, Any], anew: bool) -> None:
    assert PODS.counts_anew(old, new, NOW) is anew


def term(**fields: Any) -> dict[str, Any]:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [fields]}}


def preferred(**fields: Any) -> dict[str, Any]:
    return {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": fields}]}}


def priority(operator: str, *values: str) -> dict[str, Any]:
    return {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}


def exists(scope: str) -> dict[str, Any]:
    return {"scopeName": scope, "operator": "Exists"}


HIGH = pod(needs(), priorityClassName="high")


@pytest.mark.parametrize(
    ("selector", "found", "inside"),
    [
        (exists("Terminating"), pod(needs(), activeDeadlineSeconds=0), True),
        (exists("Terminating"), pod(needs()), False),
        (exists("NotTerminating"), pod(needs()), True),
        (exists("BestEffort"), pod(needs()), True),
        (exists("BestEffort"), pod(needs({"cpu": "1"})), False),
        (exists("NotBestEffort"), pod(needs({"cpu": "1"})), True),
        (exists("PriorityClass"), HIGH, True),
        (exists("PriorityClass"), pod(needs()), False),
        (priority("DoesNotExist"), pod(needs()), True),
        (priority("In", "low", "high"), HIGH, True),
        (priority("In", "low"), HIGH, False),
        (priority("In", "low"), pod(needs()), False),
        (priority("NotIn", "low"), HIGH, True),
        (priority("NotIn", "high"), HIGH, False),
        (priority("NotIn", "high"), pod(needs()), True),
        (exists("CrossNamespacePodAffinity"), pod(needs(), affinity=term(namespaces=["other"])), True),
        (exists("CrossNamespacePodAffinity"), pod(needs(), affinity=term(namespaceSelector={})), True),
        (exists("CrossNamespacePodAffinity"), pod(needs(), affinity=preferred(namespaces=["other"])), True),
        (exists("CrossNamespacePodAffinity"), pod(needs(), affinity=term(topologyKey="x")), False),
        (exists("VolumeAttributesClass"), pod(needs()), False),
    ],
)
def test_scopes(selector: dict[str, Any], found: dict[str, Any], inside: bool) -> None:
    assert PODS.in_scope(selector, found) is inside


@pytest.mark.parametrize(
    ("names", "found", "said"),
    [
        (["cpu"], pod(needs({"cpu": "1"})), ""),
        (["pods", "ephemeral-storage", "requests.example.com/gpu"], pod(needs()), ""),
        (["limits.cpu"], pod(needs({"cpu": "1"})), "must specify limits.cpu for: c"),
        (["memory", "cpu"], pod(needs(), {**needs({"cpu": "1"}), "name": "b"}),
         "must specify cpu for: c; memory for: b,c"),
        (["requests.cpu"], pod(needs({"cpu": "1"}), initContainers=[{"name": "i"}]),
         "must specify requests.cpu for: i"),
        (["cpu"], pod(needs(), resources={"requests": {"memory": "1Gi"}}), ""),
    ],
)  # fmt: skip
def test_what_containers_must_state(names: list[str], found: dict[str, Any], said: str) -> None:
    assert PODS.missing(names, found) == said


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("pods", True), ("count/pods", True), ("cpu", True), ("limits.ephemeral-storage", True),
        ("hugepages-2Mi", True), ("requests.hugepages-1Gi", True), ("requests.example.com/gpu", True),
        ("limits.example.com/gpu", False), ("example.com/gpu", False), ("requests.storage", False),
        ("requests.a.kubernetes.io/b", False),
        ("services", False),
    ],
)  # fmt: skip
def test_what_pods_use(name: str, counted: bool) -> None:
    assert PODS.counts(name) is counted


@pytest.mark.parametrize(
    ("operation", "part", "handled"),
    [
        ("CREATE", "", True), ("UPDATE", "", False), ("UPDATE", "resize", True), ("UPDATE", "status", False),
        ("CREATE", "binding", False), ("DELETE", "", False),
    ],
)  # fmt: skip
def test_which_writes_are_charged(operation: str, part: str, handled: bool) -> None:
    assert PODS.handles(Change(operation, pod(), pod(), part)) is handled
