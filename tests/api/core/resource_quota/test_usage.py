"""Usage as a whole. Source: apiserver/pkg/quota/v1/resources_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.resource_quota.evaluator import read_amounts
from pilothouse.api.core.resource_quota.usage import (
    evaluator_of,
    evaluators_for,
    planned_status,
    usage_by_number,
    usage_of,
)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("pods", ["pods."]),
        ("requests.cpu", ["pods."]),
        ("services.nodeports", ["services."]),
        ("secrets", ["secrets."]),
        ("count/secrets", ["secrets."]),
        ("count/deployments.apps", ["deployments.apps"]),
        ("count/widgets.example.com", ["widgets.example.com"]),
        ("count/resourceclaims.resource.k8s.io", ["resourceclaims.resource.k8s.io"]),
        ("deployments", []),
        ("example.com/gpu", []),
    ],
)
def test_who_counts(name: str, kinds: list[str]) -> None:
    assert [f"{one.plural}.{one.group}" for one in evaluators_for((name,))] == kinds


def pod(cpu: str, deadline: int | None = None) -> dict[str, Any]:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {}, "spec": {"containers": [container], "activeDeadlineSeconds": deadline}}


def test_objects_in_all_scopes_are_summed() -> None:
    hard = {"pods": "5", "cpu": "1", "configmaps": "1"}
    pods = [pod("1"), pod("500m"), pod("2", 60)]

    def used(**scopes: Any) -> dict[str, str]:
        found = usage_of(evaluator_of("", "pods"), {"hard": hard, **scopes}, pods, 0)
        return {name: str(amount) for name, amount in found.items()}

    assert used() == {"pods": "3", "cpu": "3500m"}
    assert used(scopes=["Terminating"]) == {"pods": "1", "cpu": "2"}
    none = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}
    assert used(scopeSelector=none) == {"pods": "0", "cpu": "0"}
    assert used(scopes=["Terminating"], scopeSelector=none) == {"pods": "0", "cpu": "0"}


def test_a_number_is_enough_for_most_kinds() -> None:
    def used(**scopes: Any) -> dict[str, str]:
        spec = {"hard": {"configmaps": "5", "pods": "5"}, **scopes}
        return {name: str(amount) for name, amount in usage_by_number(evaluator_of("", "configmaps"), spec, 7).items()}

    assert used() == {"configmaps": "7"}
    assert used(scopes=["BestEffort"]) == {"configmaps": "0"}


HARD = {"pods": "5", "secrets": "2"}


@pytest.mark.parametrize(
    ("status", "counted", "planned"),
    [
        pytest.param({}, {"pods": "1", "secrets": "0"}, {"hard": HARD, "used": {"pods": "1", "secrets": "0"}},
                     id="new"),
        pytest.param({"hard": HARD, "used": {"pods": "1", "secrets": "0"}}, {"pods": "1", "secrets": "0"}, None,
                     id="as it was"),
        pytest.param({"hard": HARD, "used": {"pods": "2", "secrets": "1"}}, {"pods": "1"},
                     {"hard": HARD, "used": {"pods": "1", "secrets": "1"}}, id="what nobody could count stays"),
        pytest.param({"hard": {"pods": "9", "cpu": "1"}, "used": {"pods": "1", "cpu": "1"}}, {"pods": "1"},
                     {"hard": HARD, "used": {"pods": "1"}}, id="what is limited no more goes"),
        pytest.param({"hard": {"pods": "5000m", "secrets": "2"}, "used": {}}, {}, None, id="the same in other words"),
    ],
)  # fmt: skip
def test_the_status(status: Any, counted: dict[str, str], planned: Any) -> None:
    found = planned_status({"spec": {"hard": HARD}, "status": status}, {"any": read_amounts(counted)})
    assert found == planned
