"""However the cluster came to be, a ranking says what asking all plugins about all nodes says."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.scheduler import profile
from pilothouse.scheduler.framework import Plugin
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.ranking import REFUSED, REMEMBERED, Rankings
from scheduler.samples import cluster, info, node

PLUGINS = [kind() for kind in profile.found()]
SORTS: list[dict[str, Any]] = [
    {"requests": {"cpu": "1"}},
    {"requests": {"cpu": "500m", "memory": "2Gi"}, "tolerations": [{"operator": "Exists"}]},
    {},
    {"requests": {"cpu": "1"}, "ports": [{"hostPort": 80}]},
    {"nodeSelector": {"zone": "a"}, "image": "web:1"},
]
Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["node", "gone", *["run"] * 3, *["end"] * 2, *["rank"] * 3]),
        st.integers(0, 5),
        st.integers(0, 4),
    ),
    max_size=40,
)


def _apply(step: Step, nodes: Nodes, rankings: Rankings) -> None:
    what, number, size = step
    name = f"node-{number}"
    if what == "node":
        taints = [{"key": "a", "effect": "NoSchedule"}] * (size == 1)
        images = {"web:1": 10**9} if size == 3 else {}
        nodes.set_node(node(name, cpu=str(size), pods="3", taints=taints, images=images, unschedulable=size == 4,
                            labels={"zone": "a"} if size > 1 else {}))  # fmt: skip
    elif what == "gone":
        nodes.remove_node(name)
    elif what == "run":
        nodes.set_pod(info(f"there-{number}-{size}", **SORTS[size], on=name))
    elif what == "end":
        nodes.remove_pod(f"uid-there-{number}-{size}")
    else:
        rankings.of(info("p", **SORTS[size]))


@given(steps)
def test_remembered_is_asked_anew(history: list[Step]) -> None:
    nodes = Nodes()
    rankings = Rankings(PLUGINS, nodes)
    begin = [("node", number, 2 + number % 2) for number in range(6)]
    for step in (*begin, *(("rank", 0, size) for size in range(5)), *history):
        _apply(step, nodes, rankings)
    for sort in SORTS:
        one = info("p", **sort)
        ranking, left = rankings.of(one)
        totals = ranking.totals
        assert ranking.feasible == np.count_nonzero(totals != REFUSED)
        assert {plugin.name for plugin in left} == ({"NodePorts"} if "ports" in sort else set())
        asked = [plugin for plugin in PLUGINS if plugin not in left]
        for each in nodes:
            refused = any(plugin.refuse(one, each) is not None for plugin in asked)
            assert totals[each.row] == (REFUSED if refused else _worth(asked, one, nodes, each.row)), each.name
        assert set(totals[~nodes.columns.alive]) <= {REFUSED}


def _worth(plugins: list[Plugin], pod: PodInfo, nodes: Nodes, row: int) -> int:
    found = [(plugin.weight, plugin.rates(pod, nodes)) for plugin in plugins]
    return sum(weight * int(rates[row]) for weight, rates in found if rates is not None)


class Counting(Plugin):
    """Counts how often it is asked."""

    name = "Counting"
    by_use = True

    def __init__(self) -> None:
        self.all = self.single = 0

    def sort(self, pod: PodInfo) -> str:
        return pod.pod.spec.hostname

    def rate(self, pod: PodInfo, node: Any) -> int:
        self.single += 1
        return 7

    def rates(self, pod: PodInfo, nodes: Nodes) -> Any:
        self.all += 1
        return np.full(nodes.columns.rows, 7)


def test_siblings_cost_one_question_for_each_change() -> None:
    nodes = cluster(*(node(f"n{number}") for number in range(100)))
    counting = Counting()
    rankings = Rankings([counting], nodes)
    for number in range(50):
        one = info(f"p{number}", hostname="x")
        assert set(rankings.of(one)[0].totals[nodes.columns.alive]) == {7}
        nodes.assume(one, "n3")
    assert (counting.all, counting.single) == (1, 49)
    nodes.set_node(node("n3", labels={"new": "label"}))
    rankings.of(info("q", hostname="x"))
    assert counting.all == 2


def test_after_many_changes_all_are_asked_at_once() -> None:
    nodes = cluster(*(node(f"n{number}") for number in range(100)))
    counting = Counting()
    rankings = Rankings([counting], nodes)
    rankings.of(info("p"))
    for number in range(100):
        nodes.set_pod(info(f"there-{number}", on=f"n{number}"))
    rankings.of(info("q"))
    assert (counting.all, counting.single) == (2, 0)


def test_what_is_long_unused_is_forgotten() -> None:
    nodes = cluster(node("n"))
    counting = Counting()
    rankings = Rankings([counting], nodes)
    for number in range(REMEMBERED + 1):
        rankings.of(info("p", hostname=str(number)))
    rankings.of(info("p", hostname=str(REMEMBERED)))
    assert counting.all == REMEMBERED + 1
    rankings.of(info("p", hostname="0"))
    assert counting.all == REMEMBERED + 2
