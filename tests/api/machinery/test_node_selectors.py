"""Which nodes a selector means."""

from typing import Any

import pytest

from pilothouse.api.machinery.node_selectors import may_run_on, selects

LABELS = {"zone": "a", "size": "4", "odd": "four"}


def term(key: str, operator: str, *values: str, field: bool = False) -> dict[str, Any]:
    return {"matchFields" if field else "matchExpressions": [{"key": key, "operator": operator, "values": values}]}


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ([], False),
        ([{}], False),
        ([term("zone", "In", "b", "a")], True),
        ([term("zone", "NotIn", "a")], False),
        ([term("rack", "NotIn", "a")], True),
        ([term("zone", "Exists")], True),
        ([term("zone", "DoesNotExist")], False),
        ([term("size", "Gt", "3")], True),
        ([term("size", "Lt", "4")], False),
        ([term("odd", "Gt", "3")], False),
        ([term("size", "Gt", "many")], False),
        ([term("size", "Gt")], False),
        ([term("size", "Unknown", "4")], False),
        ([term("metadata.name", "In", "n1", field=True)], True),
        ([term("metadata.name", "NotIn", "n1", field=True)], False),
        ([term("metadata.uid", "In", "n1", field=True)], False),
        ([{**term("zone", "In", "a"), **term("metadata.name", "In", "n2", field=True)}], False),
        ([term("zone", "In", "b"), term("size", "In", "4")], True),
    ],
)
def test_one_of_the_terms_must_hold_as_a_whole(terms: list[dict[str, Any]], found: bool) -> None:
    assert selects({"nodeSelectorTerms": terms}, "n1", LABELS) is found


@pytest.mark.parametrize(
    ("spec", "may"),
    [
        ({}, True),
        ({"nodeSelector": {"zone": "a", "size": "4"}}, True),
        ({"nodeSelector": {"zone": "a", "size": "5"}}, False),
        ({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}}, True),
        ({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}}, False),
    ],
)
def test_a_pod_may_run_where_its_selector_and_its_affinity_agree(spec: dict[str, Any], may: bool) -> None:
    assert may_run_on(spec, "n1", LABELS) is may
