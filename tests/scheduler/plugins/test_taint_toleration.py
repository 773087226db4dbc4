from typing import Any

import numpy as np
import pytest

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.framework import Refusal
from pilothouse.scheduler.plugins.taint_toleration import TaintToleration
from scheduler.samples import alone, cluster, info, node

HARD = [{"key": "k", "value": "v", "effect": "NoSchedule"}]
SOFT = [{"key": "k", "effect": "PreferNoSchedule"}]
REFUSED = Refusal(("node(s) had untolerated taint(s)",), resolvable=False)
PLUGIN = TaintToleration()


@pytest.mark.parametrize(
    ("taints", "tolerations", "refusal"),
    [([], [], None), (HARD, [], REFUSED), (SOFT, [], None), (HARD, [{"key": "k", "operator": "Exists"}], None),
     (HARD, [{"key": "k", "value": "w"}], REFUSED)],
)  # fmt: skip
def test_taints_refuse(taints: Any, tolerations: Any, refusal: Refusal | None) -> None:
    assert PLUGIN.refuse(info(tolerations=tolerations), alone(node(taints=taints))) == refusal


def test_fewer_soft_taints_are_better() -> None:
    nodes = cluster(node("a"), node("b", taints=SOFT), node("c", taints=[*SOFT, {**SOFT[0], "key": "l"}]))
    rows = np.arange(3)
    found = PLUGIN.score(info(), nodes, rows)
    assert found is not None
    assert found.tolist() == [100, 50, 0]
    assert PLUGIN.score(info(tolerations=[{"operator": "Exists"}]), nodes, rows) is None


@pytest.mark.parametrize(
    ("change", "old", "new", "helps"),
    [
        (Change.NODE_ADDED, None, node(taints=HARD), False),
        (Change.NODE_ADDED, None, node(), True),
        (Change.NODE_TAINTS, node(taints=HARD), node(), True),
        (Change.NODE_TAINTS, node(taints=SOFT), node(), False),
        (Change.NODE_TAINTS, node(), node(taints=HARD), False),
        (Change.OWN_TOLERATIONS, None, None, True),
    ],
)
def test_what_helps(change: Change, old: object, new: object, helps: bool) -> None:
    assert PLUGIN.helps(info(), Happened(change, old, new)) is helps
