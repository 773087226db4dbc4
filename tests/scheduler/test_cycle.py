from collections import Counter
from typing import Any

import numpy as np
import pytest

from pilothouse.runtime.chance import Chance
from pilothouse.scheduler import profile
from pilothouse.scheduler.cycle import Cycle, Placement, nodes_to_find
from pilothouse.scheduler.framework import Diagnosis, Plugin
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from scheduler.samples import cluster, info, node


def _cycle(nodes: Nodes, plugins: list[Plugin] | None = None, percentage: int = 100) -> Cycle:
    chosen = [kind() for kind in profile.found()] if plugins is None else plugins
    return Cycle(chosen, nodes, Chance(7), percentage)


def _named(*names: str) -> dict[str, Any]:
    field = {"key": "metadata.name", "operator": "In", "values": [*names]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


TAINT = [{"key": "a", "effect": "NoSchedule"}]


@pytest.mark.parametrize(
    ("pod", "reasons"),
    [
        ({"requests": {"cpu": "3"}},
         ["1 node(s) had untolerated taint(s)", "1 node(s) were unschedulable", "2 Insufficient cpu"]),
        ({"nodeSelector": {"a": "b"}},
         ["1 node(s) had untolerated taint(s)", "1 node(s) were unschedulable",
          "2 node(s) didn't match Pod's node affinity/selector"]),
        ({"affinity": _named("tainted")},
         ["1 node(s) had untolerated taint(s)", "3 node(s) didn't satisfy plugin(s) [NodeAffinity]"]),
        ({"affinity": _named("gone")}, ["4 node(s) didn't satisfy plugin(s) [NodeAffinity]"]),
        ({"requests": {"cpu": "3", "memory": "9Gi"}, "tolerations": [{"operator": "Exists"}]},
         ["4 Insufficient cpu", "4 Insufficient memory"]),
    ],
)  # fmt: skip
def test_why_a_pod_fits_nowhere(pod: dict[str, Any], reasons: list[str]) -> None:
    nodes = cluster(
        node("a", cpu="1"), node("b", cpu="2"), node("cordoned", cpu="2", unschedulable=True),
        node("tainted", cpu="2", taints=TAINT),
    )  # fmt: skip
    found = _cycle(nodes).place(info(**pod))
    assert isinstance(found, Diagnosis)
    assert found.message.startswith(f"0/4 nodes are available: {', '.join(reasons)}.")


def test_who_refused_is_told() -> None:
    nodes = cluster(node("a", cpu="1"), node("b", cpu="1", taints=TAINT), node("c", labels={"x": "y"}))
    found = _cycle(nodes).place(info(requests={"cpu": "2"}, affinity=_named("a", "b")))
    assert isinstance(found, Diagnosis)
    assert {*found.plugins} == {"NodeAffinity", "TaintToleration", "NodeResourcesFit"}


def test_what_a_plugin_says_of_all_nodes_stands_alone() -> None:
    terms = {"matchFields": [*_conflicting("a"), *_conflicting("b")]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [terms]}}}
    found = _cycle(cluster(node("a"), node("b"))).place(info(affinity=affinity))
    assert isinstance(found, Diagnosis)
    assert found.message.startswith("0/2 nodes are available: pod affinity terms conflict.")
    assert [*found.plugins] == ["NodeAffinity"]


def _conflicting(name: str) -> list[dict[str, Any]]:
    return [{"key": "metadata.name", "operator": "In", "values": [name]}]


def test_the_sum_of_weighted_scores_decides() -> None:
    soft = [{"key": "a", "effect": "PreferNoSchedule"}]
    nodes = cluster(node("full"), node("empty", taints=soft), running=(info("x", requests={"cpu": "2"}, on="full"),))
    assert _cycle(nodes).place(info(requests={"cpu": "1"})) == Placement("full", 2)
    tolerant = info(requests={"cpu": "1"}, tolerations=[{"operator": "Exists"}])
    assert _cycle(nodes).place(tolerant) == Placement("empty", 2)


def test_chance_decides_among_the_best() -> None:
    nodes = cluster(*(node(name) for name in "abcd"), node("small", cpu="1"))
    cycle = _cycle(nodes)
    chosen = Counter(_place(cycle, info(requests={"cpu": "500m"})).node for _ in range(400))
    assert set(chosen) == set("abcd")
    assert min(chosen.values()) > 60


def _place(cycle: Cycle, pod: PodInfo) -> Placement:
    found = cycle.place(pod)
    assert isinstance(found, Placement)
    return found


def test_answers_are_remembered_until_a_node_changes() -> None:
    asked: list[str] = []

    class Counting(Plugin):
        name = "Counting"

        def sort(self, pod: PodInfo) -> str:
            return pod.pod.spec.nodeSelector.get("sort", "")

        def passes(self, pod: PodInfo, nodes: Nodes) -> Any:
            asked.append(pod.key.name)
            return np.ones(nodes.columns.rows, dtype=np.bool_)

    nodes = cluster(node("a"))
    cycle = _cycle(nodes, [Counting()])
    for name, sort in (("1", "x"), ("2", "x"), ("3", "y"), ("4", "x")):
        assert _place(cycle, info(name, nodeSelector={"sort": sort})).node == "a"
    assert asked == ["1", "3"]
    nodes.set_node(node("a", labels={"new": "label"}))
    _place(cycle, info("5", nodeSelector={"sort": "x"}))
    assert asked == ["1", "3", "5"]


@pytest.mark.parametrize(
    ("nodes", "percentage", "wanted"),
    [(99, 1, 99), (100, 0, 100), (1000, 0, 420), (5000, 0, 500), (20000, 0, 1000), (1000, 5, 100), (1000, 30, 300),
     (1000, 100, 1000), (6000, 0, 300)],
)  # fmt: skip
def test_how_many_nodes_are_looked_for(nodes: int, percentage: int, wanted: int) -> None:
    assert nodes_to_find(nodes, percentage) == wanted


def test_a_sample_moves_through_the_nodes() -> None:
    nodes = cluster(*(node(f"n{number}") for number in range(250)))
    cycle = _cycle(nodes, percentage=1)
    seen = [_place(cycle, info()) for _ in range(100)]
    assert {one.feasible for one in seen} == {100}
    assert len({one.node for one in seen}) > 60


def test_a_promised_node_is_taken_first() -> None:
    nodes = cluster(node("a"), node("b"), running=(info("x", requests={"cpu": "3"}, on="b"),))
    promised = info(status={"nominatedNodeName": "b"})
    assert _cycle(nodes).place(promised) == Placement("b", 1)
    gone = info(status={"nominatedNodeName": "gone"})
    assert _cycle(nodes).place(gone) == Placement("a", 2)


def test_a_claim_is_kept_from_lesser_pods() -> None:
    nodes = cluster(node("a", cpu="2"))
    nodes.nominate(info("claims", requests={"cpu": "2"}, priority=5), "a")
    cycle = _cycle(nodes)
    found = cycle.place(info(requests={"cpu": "1"}))
    assert isinstance(found, Diagnosis)
    assert found.message == "0/1 nodes are available: 1 Insufficient cpu."
    assert ([*found.plugins], found.resolvable) == (["NodeResourcesFit"], [0])
    assert cycle.make_room(info(requests={"cpu": "1"}), found).message.endswith(
        "1 No preemption victims found for incoming pod."
    )
    assert _place(cycle, info(requests={"cpu": "1"}, priority=6)).node == "a"
    assert _place(cycle, info("claims", requests={"cpu": "2"}, priority=5)).node == "a"


def test_room_made_counts_with_claims() -> None:
    nodes = cluster(node("a", cpu="2"), running=(info("there", requests={"cpu": "2"}, on="a"),))
    nodes.nominate(info("claims", requests={"cpu": "1"}, priority=9), "a")
    cycle = _cycle(nodes)
    for cpu, victims in (("1", ["there"]), ("2", [])):
        wanted = info(requests={"cpu": cpu}, priority=5)
        found = cycle.place(wanted)
        assert isinstance(found, Diagnosis)
        assert [one.key.name for one in cycle.make_room(wanted, found).victims] == victims


def test_a_scheduler_without_preemption_says_nothing_of_it() -> None:
    cycle = _cycle(cluster(node(cpu="1")), [kind() for kind in profile.found() if kind.name != "DefaultPreemption"])
    found = cycle.place(info(requests={"cpu": "2"}))
    assert isinstance(found, Diagnosis)
    assert cycle.make_room(info(requests={"cpu": "2"}), found).message == ""
