"""What is always written. Source: the json tags of upstream's types, as its answers show them."""

from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.schema.written import filler

SCHEMAS = Schemas()
TIMES = {"lastProbeTime": None, "lastTransitionTime": None}
TEMPLATE: dict[str, Any] = {"metadata": {}, "spec": {}}

CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "v1",
        "Pod",
        {"spec": {"containers": [{"name": "a"}]}, "status": {"conditions": [{"type": "Ready"}]}},
        {
            "spec": {"containers": [{"name": "a", "resources": {}}]},
            "status": {"conditions": [{"type": "Ready", **TIMES}]},
        },
    ),
    (
        "v1",
        "Pod",
        {"status": {"containerStatuses": [{"state": {"terminated": {"exitCode": 1}}}]}},
        {
            "spec": {},
            "status": {
                "containerStatuses": [
                    {
                        "state": {"terminated": {"exitCode": 1, "startedAt": None, "finishedAt": None}},
                        "lastState": {}, "name": "", "ready": False, "restartCount": 0, "image": "", "imageID": "",
                    }
                ]
            },
        },
    ),
    (
        "v1",
        "Event",
        {"metadata": {}},
        {
            "metadata": {}, "source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None,
            "reportingComponent": "", "reportingInstance": "",
        },
    ),
    ("v1", "Service", {}, {"spec": {}, "status": {"loadBalancer": {}}}),
    ("v1", "Namespace", {}, {"spec": {}, "status": {}}),
    ("v1", "PodTemplate", {}, {"template": TEMPLATE}),
    ("v1", "ConfigMap", {}, {}),
    ("apps/v1", "Deployment", {"spec": {}}, {"spec": {"strategy": {}}, "status": {}}),
    (
        "apps/v1",
        "Deployment",
        {"spec": {"template": {}, "strategy": {}}, "status": {"conditions": [{"type": "A", "status": "True"}]}},
        {
            "spec": {"template": TEMPLATE, "strategy": {}},
            "status": {
                "conditions": [{"type": "A", "status": "True", "lastUpdateTime": None, "lastTransitionTime": None}]
            },
        },
    ),
    (
        "apps/v1",
        "DaemonSet",
        {"spec": {}, "status": {"numberReady": 1}},
        {
            "spec": {"updateStrategy": {}},
            "status": {
                "numberReady": 1, "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0,
            },
        },
    ),
    (
        "batch/v1",
        "CronJob",
        {"spec": {"jobTemplate": {"spec": {"template": {}}}}},
        {"spec": {"jobTemplate": {"metadata": {}, "spec": {"template": TEMPLATE}}}, "status": {}},
    ),
    ("policy/v1", "PodDisruptionBudget", {"status": {"expectedPods": 4}}, {
        "spec": {},
        "status": {"expectedPods": 4, "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0},
    }),
]  # fmt: skip


@pytest.mark.parametrize(
    ("api_version", "kind", "sent", "kept"), CASES, ids=[f"{c[1]}-{n}" for n, c in enumerate(CASES)]
)
def test_filled_in(api_version: str, kind: str, sent: dict[str, Any], kept: dict[str, Any]) -> None:
    group, _, version = api_version.rpartition("/")
    fill = filler(SCHEMAS.kind(group, version, kind))
    if fill is not None:
        fill(sent)
    assert sent == kept
    if fill is not None:
        fill(sent)
    assert sent == kept


@pytest.mark.parametrize(("group", "kind"), [("", "ConfigMap"), ("", "Secret")])
def test_kinds_that_are_written_most_cost_nothing(group: str, kind: str) -> None:
    assert filler(SCHEMAS.kind(group, "v1", kind)) is None


def test_nothing_that_is_there_is_changed() -> None:
    for resource in builtin():
        fill = filler(SCHEMAS.kind(resource.group, resource.version, resource.name))
        obj: dict[str, Any] = {"metadata": {"name": "x"}, "spec": {"a": 1}, "status": {"b": [2]}, "data": {"c": "d"}}
        if fill is not None:
            fill(obj)
        assert obj["metadata"] == {"name": "x"}
        assert (obj["spec"]["a"], obj["status"]["b"], obj["data"]) == (1, [2], {"c": "d"})
