"""What several givers say of where is made one. Cases follow the words of upstream's policy_test.go."""

from collections.abc import Sequence

import pytest

from pilothouse.kubelet.managers.hints import (
    BEST_EFFORT,
    NONE,
    RESTRICTED,
    SINGLE,
    Hint,
    Hints,
    Nodes,
    merge,
    node_sets,
    possibilities,
)  # fmt: skip

POLICIES = (BEST_EFFORT, RESTRICTED, SINGLE)


def hint(nodes: str, *, preferred: bool = True) -> Hint:
    return Hint(frozenset(map(int, nodes)), preferred)


def no(nodes: str) -> Hint:
    return hint(nodes, preferred=False)


FREE = [hint("0"), hint("1"), no("01")]
WIDE = [hint("01")]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # By policy: the affinity, and whether the pod is taken.
        ([], ["01 +", "01 +", "any +"]),
        ([{}], ["01 +", "01 +", "any +"]),
        ([{}, {"cpu": FREE}], ["0 +", "0 +", "0 +"]),
        ([{"cpu": FREE}, {"gpu": [hint("1"), no("01")]}], ["1 +", "1 +", "1 +"]),
        ([{"cpu": [hint("0"), no("01")]}, {"gpu": [hint("1"), no("01")]}], ["0 +", "0 -", "any -"]),
        ([{"cpu": [no("01")]}], ["01 +", "01 -", "any -"]),
        ([{"cpu": []}], ["01 +", "01 -", "any -"]),
        ([{"cpu": [], "gpu": [hint("1")]}], ["1 +", "1 -", "any -"]),
        ([{"cpu": WIDE}], ["01 +", "01 +", "any -"]),
        ([{"cpu": FREE}, {"gpu": WIDE}], ["01 +", "01 -", "any -"]),  # as wide as the neediest
        ([{"cpu": [hint("0")], "gpu": [hint("1")]}], ["01 +", "01 -", "any -"]),
    ],
)
def test_hints_are_merged(told: Sequence[Hints], expected: list[str]) -> None:
    assert [shown(merge(policy, (0, 1), told)) for policy in POLICIES] == expected
    assert merge(NONE, (0, 1), told) == (None, True)


def shown(merged: tuple[Nodes | None, bool]) -> str:
    nodes, taken = merged
    return f"{'any' if nodes is None else ''.join(map(str, sorted(nodes)))} {'+' if taken else '-'}"


@pytest.mark.parametrize(
    ("told", "affinity"),
    [
        ([{"a": [no("0123"), no("012")]}, {"b": [no("0123"), no("01")]}], "012"),  # three are needed
        ([{"a": [no("012")]}, {"b": [no("01"), no("0")]}], "01"),  # as near to three as it goes
        ([{"a": [no("0123"), no("012"), no("01")]}], "01"),
        ([{"a": [no("23"), no("01"), no("13")]}], "01"),  # low numbers first
    ],
)
def test_of_what_nobody_prefers_the_fitting_is_taken(told: Sequence[Hints], affinity: str) -> None:
    assert merge(BEST_EFFORT, (0, 1, 2, 3), told) == (frozenset(map(int, affinity)), True)


@pytest.mark.parametrize(
    ("told", "near", "far"),
    [
        ([{"a": [hint("01"), hint("12"), hint("02")]}], "12", "01"),
        ([{"a": [no("01"), no("12"), no("02")]}], "12", "01"),
        ([{"a": [no("01"), no("12")]}, {"b": [no("012")]}], "12", "01"),
        ([{"a": [hint("0"), hint("12")]}], "0", "0"),  # the fewest come first
    ],
)
def test_of_as_many_nodes_the_nearest_may_be_taken(told: Sequence[Hints], near: str, far: str) -> None:
    """The option prefer-closest-numa-nodes."""

    def distance(nodes: Nodes) -> float:
        return 11.0 if nodes == {1, 2} else 21.0

    found = merge(BEST_EFFORT, (0, 1, 2), told, distance)[0], merge(BEST_EFFORT, (0, 1, 2), told)[0]
    assert found == (frozenset(map(int, near)), frozenset(map(int, far)))


def test_preferred_are_the_sets_that_would_do_if_all_were_free() -> None:
    free = {0: 1, 1: 3}

    def amount(each: dict[int, int], nodes: Nodes) -> int:
        return sum(each[node] for node in nodes)

    def also(nodes: Nodes, smallest: int) -> bool:
        return len(nodes) > smallest

    def possible(asked: int) -> list[Hint]:
        return possibilities((0, 1), lambda nodes: 4 * len(nodes), lambda nodes: amount(free, nodes), asked)

    assert possible(1) == [hint("0"), hint("1"), no("01")]
    assert possible(3) == [hint("1"), no("01")]
    assert possible(4) == [no("01")]
    assert possible(5) == []
    wide = possibilities((0, 1), lambda nodes: 4 * len(nodes), lambda nodes: amount(free, nodes), 3, also)
    assert wide == [hint("1"), hint("01")]
    assert [sorted(one) for one in node_sets((0, 1, 4))] == [[0], [1], [4], [0, 1], [0, 4], [1, 4], [0, 1, 4]]
