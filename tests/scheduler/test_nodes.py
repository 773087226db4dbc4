"""Whatever happens, the columns say what a naive count over the objects says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.scheduler.columns import ABSENT
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from scheduler.samples import cluster, info, node, pod

NAMES = [f"node-{number}" for number in range(25)]
CPUS = ["100m", "1", "2500m"]
Step = tuple[str, int, int, int]
steps = st.lists(
    st.tuples(st.sampled_from(["node", "gone", "assume", "confirm", "forget", "ended"]), st.integers(0, 24),
              st.integers(0, 9), st.integers(0, 2)),
    max_size=60,
)  # fmt: skip


class Naive:
    """The same facts, kept the simplest way."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.pods: dict[str, PodInfo] = {}

    def requested(self, name: str, resource: str) -> int:
        return sum(one.requests.get(resource, 0) for one in self.pods.values() if one.node_name == name)


def _pod(number: int, size: int) -> PodInfo:
    return info(f"p{number}", requests={"cpu": CPUS[size]}, ports=[{"hostPort": 80 + size}])


def _apply(step: Step, nodes: Nodes, naive: Naive) -> None:
    what, where, number, size = step
    name, one = NAMES[where], _pod(number, size)
    if what == "node":
        view = node(name, cpu=CPUS[size], labels={"size": str(size)} if size else {}, images={"example:1": size},
                    taints=[{"key": "a", "effect": "NoSchedule"}] * (size == 1))  # fmt: skip
        nodes.set_node(view)
        naive.nodes[name] = {"cpu": [100, 1000, 2500][size], "size": size}
    elif what == "gone":
        nodes.remove_node(name)
        naive.nodes.pop(name, None)
    elif what in ("assume", "confirm"):
        if what == "assume":
            nodes.assume(one, name)
        else:
            one.node_name = name
            nodes.set_pod(one)
        naive.pods[one.uid] = one
    elif what == "forget":
        if nodes.is_assumed(one.uid):
            naive.pods.pop(one.uid)
        nodes.forget(one.uid)
    else:
        nodes.remove_pod(one.uid)
        naive.pods.pop(one.uid, None)


@given(steps)
def test_columns_equal_a_naive_count(history: list[Step]) -> None:
    nodes, naive = Nodes(), Naive()
    nodes.columns.label("size")
    for step in history:
        _apply(step, nodes, naive)
    columns = nodes.columns
    assert int(columns.alive.sum()) == len(nodes) == len(naive.nodes)
    assert {one.name for one in nodes} == set(naive.nodes)
    label, late = columns.label("size"), columns.label("absent")
    for name, facts in naive.nodes.items():
        found = nodes.get(name)
        assert found is not None
        row = found.row
        assert columns.allocatable["cpu"][row] == found.facts.allocatable["cpu"] == facts["cpu"]
        for resource in ("cpu", "pods"):
            wanted = naive.requested(name, resource)
            assert columns.resource(columns.requested, resource)[row] == found.requested.get(resource, 0) == wanted
        assert set(found.pods) == {one.uid for one in naive.pods.values() if one.node_name == name}
        size = facts["size"]
        assert label.numbers[row] == (label.values[str(size)] if size else ABSENT)
        assert late.numbers[row] == ABSENT
        assert columns.image("example:1")[row] == size
        assert [*columns.taint_sets][columns.taints[row]] == found.facts.taints
        for port in (80, 81, 82):
            holders = {one.node_name for one in naive.pods.values() if one.ports[0].port == port}
            assert (name in holders) == (found in nodes.holding("TCP", port))


def test_assumed_until_confirmed() -> None:
    nodes = cluster(node())
    one = info(requests={"cpu": "1"})
    nodes.assume(one, "n")
    assert nodes.is_assumed(one.uid)
    nodes.set_pod(info(requests={"cpu": "1"}, on="n"))
    assert not nodes.is_assumed(one.uid)
    nodes.forget(one.uid)
    found = nodes.get("n")
    assert found is not None
    assert found.requested == {"cpu": 1000, "pods": 1}


def test_pods_outlive_their_node() -> None:
    nodes = cluster(node(), running=(info(requests={"cpu": "1"}, on="n"),))
    nodes.remove_node("n")
    assert nodes.get("n") is None
    nodes.set_node(node())
    found = nodes.get("n")
    assert found is not None
    assert nodes.columns.requested["cpu"][found.row] == 1000
    with pytest.raises(LookupError):
        nodes.at(found.row + 1)


def test_what_makes_answers_stale() -> None:
    nodes = cluster(node())
    version = nodes.columns.version
    nodes.set_node(node(images={"a": 1}, cpu="9"))
    nodes.set_pod(PodInfo.of(pod(on="n")))
    assert nodes.columns.version == version
    for change in (
        node(labels={"a": "b"}),
        node(unschedulable=True),
        node(taints=[{"key": "k", "effect": "NoSchedule"}]),
    ):
        nodes.set_node(change)
        assert nodes.columns.version > version
        version = nodes.columns.version


def test_labels_are_asked_by_value() -> None:
    nodes = cluster(node("a", labels={"zone": "x"}), node("b", labels={"zone": "y"}), node("c"))
    column = nodes.columns.label("zone")
    assert column.among(["x", "unknown"])[:3].tolist() == [True, False, False]
    assert column.present[:3].tolist() == [True, True, False]
    assert column.where(lambda value: value is None or value == "y")[:3].tolist() == [False, True, True]
    assert np.flatnonzero(nodes.columns.alive).tolist() == [0, 1, 2]


def test_what_the_server_confirms_is_not_read_again() -> None:
    nodes = cluster(node())
    one = info(requests={"cpu": "1"})
    nodes.assume(one, "n")
    position = nodes.columns.journal.position
    nodes.read_pod(pod(requests={"cpu": "1"}, on="n", status={"phase": "Running"}))
    found = nodes.get("n")
    assert found is not None
    assert not nodes.is_assumed(one.uid)
    assert found.pods[one.uid] is one
    assert one.pod.status.phase == "Running"
    assert nodes.columns.journal.position == position
    nodes.read_pod(pod(requests={"cpu": "2"}, on="n"))
    assert found.requested["cpu"] == 2000
    nodes.assume(info("q"), "n")
    nodes.read_pod(pod("q", on="other"))
    assert [*found.pods] == [one.uid]


def test_claims() -> None:
    nodes = cluster(node())
    low, high = info("low", priority=1), info("high", priority=5)
    nodes.nominate(low, "n")
    nodes.nominate(high, "n")
    assert nodes.nominated("n", info("p", priority=1)) == [low, high]
    assert nodes.nominated("n", info("p", priority=3)) == [high]
    assert nodes.nominated("n", high) == []
    nodes.nominate(high, "m")
    assert (high.nominated, nodes.nominated("m", low)) == ("m", [high])
    nodes.nominate(high, "")
    assert high.nominated == ""
    assert nodes.drop_claim(low.uid)
    assert not nodes.drop_claim(low.uid)
    assert nodes.nominations == {}


def test_a_node_as_it_would_be() -> None:
    there, more = info("there", requests={"cpu": "1"}, ports=[{"hostPort": 80}], on="n"), info(requests={"cpu": "2"})
    nodes = cluster(node(), running=(there,))
    found = nodes.get("n")
    assert found is not None
    without = found.having(more=[more], less=[there])
    assert (without.requested, without.ports, [*without.pods]) == (
        {"cpu": 2000, "pods": 1}, {}, [more.uid],
    )  # fmt: skip
    assert (found.requested, [*found.pods]) == ({"cpu": 1000, "pods": 1}, [there.uid])
    assert len(found.ports) == 1
