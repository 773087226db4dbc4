from typing import Any

import numpy as np
import pytest

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.framework import Only, Refusal
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.plugins.node_affinity import NodeAffinity
from scheduler.samples import alone, cluster, info, node

PLUGIN = NodeAffinity()
LABELS = {"zone": "a", "size": "7"}


def _label(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": [*values]}]}


def _name(operator: str, *values: str) -> dict[str, Any]:
    return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": [*values]}]}


def _required(*terms: Any) -> dict[str, Any]:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [*terms]}}}


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, True),
        ({"nodeSelector": {"zone": "a"}}, True),
        ({"nodeSelector": {"zone": "a", "size": "8"}}, False),
        ({"affinity": _required()}, False),
        ({"affinity": _required({})}, False),
        ({"affinity": _required({}, _label("zone", "In", "a"))}, True),
        ({"affinity": _required(_label("zone", "In", "b", "a"))}, True),
        ({"affinity": _required(_label("zone", "NotIn", "a"))}, False),
        ({"affinity": _required(_label("none", "NotIn", "a"))}, True),
        ({"affinity": _required(_label("none", "Exists"))}, False),
        ({"affinity": _required(_label("none", "DoesNotExist"))}, True),
        ({"affinity": _required(_label("size", "Gt", "6"))}, True),
        ({"affinity": _required(_label("size", "Lt", "7"))}, False),
        ({"affinity": _required(_label("zone", "Gt", "6"))}, False),
        ({"affinity": _required({**_label("zone", "In", "a"), **_name("In", "other")})}, False),
        ({"affinity": _required(_name("In", "n"))}, True),
        ({"affinity": _required(_name("NotIn", "n"))}, False),
        ({"affinity": _required(_label("zone", "In", "a")), "nodeSelector": {"zone": "b"}}, False),
    ],
)
def test_which_nodes_will_do(spec: dict[str, Any], wanted: bool) -> None:
    refusal = None if wanted else Refusal(("node(s) didn't match Pod's node affinity/selector",), resolvable=False)
    assert PLUGIN.refuse(info(**spec), alone(node(labels=LABELS))) == refusal


@pytest.mark.parametrize(
    ("terms", "answer"),
    [
        ((_name("In", "a", "b"),), Only(("a", "b"))),
        ((_name("In", "a"), _name("In", "b")), Only(("a", "b"))),
        ((_name("In", "a"), _label("zone", "Exists")), None),
        ((_name("NotIn", "a"),), None),
        (({"matchFields": [*_name("In", "a")["matchFields"], *_name("In", "b")["matchFields"]]},),
         Refusal(("pod affinity terms conflict",), resolvable=False)),
    ],
)  # fmt: skip
def test_named_nodes_are_the_only_ones_to_look_at(terms: tuple[Any, ...], answer: object) -> None:
    assert PLUGIN.begin(info(affinity=_required(*terms)), Nodes()) == answer


def test_preferred_terms_add_up() -> None:
    preferred = [
        {"weight": 30, "preference": _label("zone", "In", "a")},
        {"weight": 10, "preference": _label("size", "Exists")},
        {"weight": 90, "preference": {}},
    ]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    nodes = cluster(node("a", labels=LABELS), node("b", labels={"size": "1"}), node("c"))
    found = PLUGIN.score(info(affinity=affinity), nodes, np.arange(3))
    assert found is not None
    assert found.tolist() == [100, 25, 0]
    assert PLUGIN.score(info(), nodes, np.arange(3)) is None


@pytest.mark.parametrize(
    ("old", "new", "helps"),
    [(None, node(), False), (None, node(labels=LABELS), True), (node(), node(labels=LABELS), True),
     (node(labels=LABELS), node(labels={**LABELS, "more": ""}), False)],
)  # fmt: skip
def test_what_helps(old: object, new: object, helps: bool) -> None:
    assert PLUGIN.helps(info(nodeSelector={"zone": "a"}), Happened(Change.NODE_LABELS, old, new)) is helps
