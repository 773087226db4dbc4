"""What of a Job may change. Sources: TestValidateJobUpdate in pkg/apis/batch/validation/validation_test.go,
TestJobStrategy_ValidateUpdate* in pkg/registry/batch/job/strategy_test.go. *assumed*: resources change at
`spec.template`, whole, as the rest; an immutable template is shown as it is on the wire.
"""

from typing import Any

import pytest

from fakes.jobs import UID, job, template
from pilothouse.api.batch.job import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

NODES: dict[str, Any] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
PODS: dict[str, Any] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}
RESOURCES = template(containers=[{"name": "a", "image": "a:1", "resources": {"requests": {"cpu": "2"}}}])
INDEXED = {"completionMode": "Indexed", "completions": 3, "parallelism": 3}
NEW = {"suspend": True}
STARTED = {"startTime": "2026-01-01T00:00:00Z"}
STOPPED = {**STARTED, "conditions": [{"type": "Suspended", "status": "True"}]}


def _paths(old: dict[str, Any], new: dict[str, Any], status: dict[str, Any] | None = None) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate_update(job(**{**old, **new}), {**job(**old), "status": status or {}}, errors)
    assert {error.detail for error in errors} <= {"field is immutable"}
    return [error.path for error in errors]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ({"completions": 1}, {"parallelism": 9, "activeDeadlineSeconds": 5, "backoffLimit": 1, "suspend": True}, []),
        ({}, {"ttlSecondsAfterFinished": 4, "podReplacementPolicy": "Failed"}, []),
        ({"completions": 2}, {"completions": 3}, ["spec.completions"]),
        (INDEXED, {"completions": 4, "parallelism": 4}, []),
        ({}, {"template": template(dnsPolicy="Default")}, ["spec.template"]),
        ({}, {"template": template(nodeSelector={"a": "b"})}, ["spec.template"]),
        ({}, {"completionMode": "Indexed"}, ["spec.completionMode"]),
        ({**INDEXED, "backoffLimitPerIndex": 1}, {"backoffLimitPerIndex": 2}, ["spec.backoffLimitPerIndex"]),
        ({"managedBy": "a.io/b"}, {"managedBy": "a.io/c"}, ["spec.managedBy"]),
        ({"podReplacementPolicy": "Failed"}, {"podFailurePolicy": {"rules": []}}, ["spec.podFailurePolicy"]),
        (INDEXED, {"successPolicy": {"rules": [{"succeededCount": 1}]}}, ["spec.successPolicy"]),
        (
            {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}},
            {"selector": {"matchLabels": {"a": "c"}}},
            ["spec.selector"],
        ),
    ],
)
def test_update(old: dict[str, Any], new: dict[str, Any], wrong: list[str]) -> None:
    assert _paths(old, new) == wrong


def test_completions_follow_parallelism() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(job(**{**INDEXED, "completions": 4}), job(**INDEXED), errors)
    assert [str(error) for error in errors] == [
        "spec.completions: Invalid value: 4: can only be modified in tandem with spec.parallelism"
    ]


@pytest.mark.parametrize(
    ("status", "may_move", "may_resize"),
    [({}, True, False), (STARTED, False, False), (STOPPED, True, True), ({**STOPPED, "active": 1}, False, False)],
)
def test_a_suspended_job(status: dict[str, Any], may_move: bool, may_resize: bool) -> None:
    moved = {**template(nodeSelector={"a": "b"}, tolerations=[{"key": "x"}], schedulingGates=[{"name": "g/h"}])}
    moved["metadata"] = {"annotations": {"a": "b"}, "labels": {"c": "d"}}
    assert _paths(NEW, {"template": moved}, status) == ([] if may_move else ["spec.template"])
    assert _paths(NEW, {"template": RESOURCES}, status) == ([] if may_resize else ["spec.template"])
    assert _paths(NEW, {"template": template(dnsPolicy="Default")}, status) == ["spec.template"]


@pytest.mark.parametrize(
    ("old", "new", "may"),
    [
        (None, NODES, True),
        (NODES, None, True),
        (NODES, {}, True),
        (None, PODS, False),
        (PODS, None, False),
        (PODS, {**PODS, **NODES}, True),
        (None, {**PODS, **NODES}, False),
    ],
)
def test_node_affinity_of_a_suspended_job(old: Any, new: Any, may: bool) -> None:
    before, after = (template(**({} if a is None else {"affinity": a})) for a in (old, new))
    assert _paths({"suspend": True, "template": before}, {"template": after}) == ([] if may else ["spec.template"])


def test_containers_are_neither_added_nor_renamed_while_suspended() -> None:
    for containers in ([{"name": "b", "image": "a:1"}], [{"name": n, "image": "a:1"} for n in "ab"]):
        assert _paths(NEW, {"template": template(containers=containers)}, STOPPED) == ["spec.template"]


@pytest.mark.parametrize("had", [True, False])
def test_jobs_older_than_the_prefixed_labels(had: bool) -> None:
    old, new = job(), job()
    for obj in (old, new) if not had else (new,):
        del obj["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"]
        obj["spec"]["selector"] = {"matchLabels": {"controller-uid": UID}}
    old["spec"]["selector"] = new["spec"]["selector"]
    errors = FieldErrors()
    RESOURCE.validate_update(new, old, errors)
    labels = "spec.template.metadata.labels[batch.kubernetes.io/job-name]"
    assert [error.path for error in errors] == ([labels, "spec.template"] if had else [])
