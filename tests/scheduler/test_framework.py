"""Plugins answer for all nodes as they answer for each; messages are those that users know."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.scheduler import profile
from pilothouse.scheduler.framework import Diagnosis, Plugin, Refusal, normalized
from pilothouse.scheduler.nodes import NodeInfo
from pilothouse.scheduler.pod_info import PodInfo
from scheduler.samples import cluster, info, node

PLUGINS = [kind() for kind in profile.found()]
taints = st.lists(
    st.fixed_dictionaries({
        "key": st.sampled_from(["a", "b"]), "value": st.sampled_from(["", "x"]),
        "effect": st.sampled_from(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    }), max_size=2,
)  # fmt: skip
labels = st.dictionaries(st.sampled_from(["zone", "size"]), st.sampled_from(["a", "b", "7", "30"]), max_size=2)
some_nodes = st.lists(
    st.builds(
        lambda cpu, memory, gpu, **rest: {"cpu": cpu, "memory": memory, "more": gpu, **rest},
        st.sampled_from(["0", "1", "2", "4"]), st.sampled_from(["1Gi", "8Gi"]),
        st.sampled_from([{}, {"example.org/gpu": "2"}]), pods=st.sampled_from(["1", "3"]), labels=labels,
        taints=taints, unschedulable=st.booleans(),
    ), max_size=20,
)  # fmt: skip
expressions = st.lists(
    st.one_of(
        st.fixed_dictionaries({
            "key": st.sampled_from(["zone", "size", "none"]), "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(st.sampled_from(["a", "b", "7"]), min_size=1, max_size=2),
        }),
        st.fixed_dictionaries({"key": st.sampled_from(["zone", "none"]),
                               "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
        st.fixed_dictionaries({"key": st.just("size"), "operator": st.sampled_from(["Gt", "Lt"]),
                               "values": st.sampled_from([["10"], ["x"], []])}),
    ), max_size=2,
)  # fmt: skip
names = st.lists(
    st.fixed_dictionaries({
        "key": st.sampled_from(["metadata.name", "metadata.name", "other"]),
        "operator": st.sampled_from(["In", "NotIn"]),
        "values": st.lists(st.sampled_from(["node-0", "node-3", "gone"]), min_size=1, max_size=2),
    }), max_size=1,
)  # fmt: skip
terms = st.lists(st.fixed_dictionaries({"matchExpressions": expressions, "matchFields": names}), max_size=2)
pods = st.builds(
    lambda needs, required, **rest: {"requests": needs, **rest, **_affinity(required)},
    st.dictionaries(st.sampled_from(["cpu", "memory", "example.org/gpu"]), st.sampled_from(["0", "1", "3"])),
    st.none() | terms,
    ports=st.lists(st.fixed_dictionaries({
        "hostPort": st.sampled_from([80, 443]), "hostIP": st.sampled_from(["", "10.0.0.1", "10.0.0.2"]),
    }), max_size=2),
    tolerations=st.lists(st.fixed_dictionaries({
        "key": st.sampled_from(["a", "b", "node.kubernetes.io/unschedulable"]),
        "operator": st.sampled_from(["Exists", "Equal"]), "effect": st.sampled_from(["", "NoSchedule"]),
    }), max_size=2),
    nodeSelector=labels,
    on=st.sampled_from(["", "", "node-1"]),
)  # fmt: skip


def _affinity(required: Any) -> dict[str, Any]:
    if required is None:
        return {}
    wanted = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": required}}
    return {"affinity": {"nodeAffinity": wanted}}


def _refused(plugin: Plugin, one: PodInfo, at: NodeInfo) -> bool:
    return plugin.refuse(one, at) is not None


@given(some_nodes, pods, st.lists(pods, max_size=6))
def test_the_answer_for_all_nodes_is_that_for_each(views: list[Any], wanted: Any, running: list[Any]) -> None:
    made = [node(f"node-{number}", **view) for number, view in enumerate(views)]
    there = [info(f"there-{n}", **{**one, "on": f"node-{n % 4}"}) for n, one in enumerate(running)]
    nodes, one = cluster(*made, running=tuple(there)), info("new", **wanted)
    for plugin in PLUGINS:
        passing = plugin.passes(one, nodes)
        refused = [each for each in nodes if _refused(plugin, one, each)]
        assert refused == ([] if passing is None else [each for each in nodes if not passing[each.row]]), plugin.name
        counted, expected = Diagnosis(len(nodes)), Diagnosis(len(nodes))
        rows = np.array([each.row for each in refused], dtype=np.int64)
        if len(rows):
            plugin.explain(one, nodes, rows, counted)
        for each in refused:
            refusal = plugin.refuse(one, each)
            assert refusal is not None
            expected.add(plugin, np.array([each.row]), refusal)
        assert counted == expected, plugin.name
        rates = plugin.rates(one, nodes)
        if plugin.by_use:
            assert [plugin.rate(one, each) for each in nodes] == [
                0 if rates is None else rates[each.row] for each in nodes
            ]


@pytest.mark.parametrize(
    ("diagnosis", "message"),
    [
        (Diagnosis(0), "no nodes available to schedule pods"),
        (Diagnosis(1, Counter({"Too many pods": 1})), "0/1 nodes are available: 1 Too many pods."),
        (
            Diagnosis(12, Counter({"node(s) had untolerated taint(s)": 2, "Insufficient cpu": 10})),
            "0/12 nodes are available: 10 Insufficient cpu, 2 node(s) had untolerated taint(s).",
        ),
        (
            Diagnosis(3, Counter({"b": 1, "a": 2}), suggestion="preemption: not eligible."),
            "0/3 nodes are available: 1 b, 2 a. preemption: not eligible.",
        ),
        (Diagnosis(3, Counter({"b": 3}), general="b"), "0/3 nodes are available: b."),
    ],
)
def test_the_message(diagnosis: Diagnosis, message: str) -> None:
    assert diagnosis.message == message


@pytest.mark.parametrize(
    ("scores", "reverse", "result"),
    [([0, 0], False, [0, 0]), ([0, 0], True, [100, 100]), ([1, 2, 3], False, [33, 66, 100]),
     ([0, 1, 3], True, [100, 67, 0]), ([], False, [])],
)  # fmt: skip
def test_normalized(scores: list[int], reverse: bool, result: list[int]) -> None:
    assert normalized(np.array(scores, dtype=np.int64), reverse=reverse).tolist() == result


def test_a_plugin_may_answer_for_single_nodes_only() -> None:
    class Odd(Plugin):
        name = "Odd"

        def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
            return Refusal((f"{node.name} is odd",), resolvable=False) if node.row % 2 else None

    nodes = cluster(*(node(f"n{number}") for number in range(4)))
    passing = Odd().passes(info(), nodes)
    assert passing is not None
    assert passing[:4].tolist() == [True, False, True, False]
    diagnosis = Diagnosis(4)
    Odd().explain(info(), nodes, np.array([1, 3]), diagnosis)
    assert diagnosis.reasons == {"n1 is odd": 1, "n3 is odd": 1}
    assert diagnosis.resolvable == []
    assert [*diagnosis.plugins] == ["Odd"]
