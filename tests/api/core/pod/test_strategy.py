"""What the API server sets on pods. Rules: pkg/registry/core/pod/strategy.go."""

import pytest

from pilothouse.api.core.pod.strategy import (
    grace_period,
    prepare_for_create,
    prepare_for_ephemeral_containers,
    prepare_for_resize,
    prepare_for_status_update,
    prepare_for_update,
)
from pilothouse.api.machinery.view import JsonObject


def test_a_new_pod_is_pending_whatever_its_author_says() -> None:
    pod: JsonObject = {"spec": {"containers": [{}]}, "status": {"phase": "Running", "podIP": "1.2.3.4"}}
    prepare_for_create(pod)
    assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_a_gated_pod_says_so() -> None:
    pod: JsonObject = {
        "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{}], "schedulingGates": [{"name": "a"}]},
    }
    prepare_for_create(pod)
    assert pod["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
    ]


def test_label_keys_become_requirements() -> None:
    term: JsonObject = {"labelSelector": {}, "matchLabelKeys": ["a", "absent"], "mismatchLabelKeys": ["b"]}
    without: JsonObject = {"matchLabelKeys": ["a"]}
    spread: JsonObject = {"labelSelector": {"matchLabels": {"x": "y"}}, "matchLabelKeys": ["a"]}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    pod: JsonObject = {
        "metadata": {"labels": {"a": "1", "b": "2"}},
        "spec": {
            "affinity": {
                "podAffinity": {required: [term]},
                "podAntiAffinity": {preferred: [{"weight": 1, "podAffinityTerm": without}]},
            },
            "topologySpreadConstraints": [spread],
        },
    }
    prepare_for_create(pod)
    own = {"key": "a", "operator": "In", "values": ["1"]}
    assert term["labelSelector"]["matchExpressions"] == [own, {"key": "b", "operator": "NotIn", "values": ["2"]}]
    assert "labelSelector" not in without
    assert spread["labelSelector"] == {"matchLabels": {"x": "y"}, "matchExpressions": [own]}


def test_the_main_resource_never_changes_status() -> None:
    pod: JsonObject = {"spec": {}, "status": {"phase": "Failed"}}
    prepare_for_update(pod, {"status": {"phase": "Running"}})
    assert pod["status"] == {"phase": "Running"}


def test_a_status_update_changes_status_alone() -> None:
    old = {
        "metadata": {"name": "a", "ownerReferences": [{"uid": "1"}]},
        "spec": {"nodeName": "n"},
        "status": {"qosClass": "Burstable", "conditions": [{"type": "Ready", "observedGeneration": 3}]},
    }
    pod: JsonObject = {
        "metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": "other"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready"}]},
    }
    prepare_for_status_update(pod, old)
    assert pod == {
        "metadata": {"name": "a", "ownerReferences": [{"uid": "1"}]},
        "spec": {"nodeName": "n"},
        "status": {
            "phase": "Running",
            "qosClass": "Burstable",
            "conditions": [{"type": "Ready", "observedGeneration": 3}],
        },
    }


def test_ephemeral_containers_alone_are_taken() -> None:
    old = {"metadata": {"labels": {"a": "b"}}, "spec": {"nodeName": "n"}, "status": {"phase": "Running"}}
    pod: JsonObject = {"metadata": {"labels": {}}, "spec": {"nodeName": "x", "ephemeralContainers": [{"name": "e"}]}}
    prepare_for_ephemeral_containers(pod, old)
    assert pod == {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"nodeName": "n", "ephemeralContainers": [{"name": "e"}]},
        "status": {"phase": "Running"},
    }


def test_a_resize_takes_resources_alone() -> None:
    old = {"spec": {"containers": [{"name": "c", "image": "i", "resources": {}}]}, "status": {}}
    changed = {"name": "c", "image": "other", "resources": {"limits": {"cpu": "1"}}}
    pod: JsonObject = {"spec": {"containers": [changed]}}
    prepare_for_resize(pod, old)
    assert pod["spec"] == {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}}]}


@pytest.mark.parametrize(
    ("spec", "phase", "asked", "expected"),
    [
        ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, "Running", None, 30),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, "Running", 5, 5),
        ({"nodeName": "n", "terminationGracePeriodSeconds": -3}, "Running", None, 1),
        ({"terminationGracePeriodSeconds": 30}, "Pending", None, 0),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 30}, "Succeeded", 5, 0),
    ],
)
def test_grace_period(spec: JsonObject, phase: str, asked: int | None, expected: int) -> None:
    assert grace_period({"spec": spec, "status": {"phase": phase}}, asked) == expected
