"""Where a container may have its memory. Cases follow the words of upstream's policy_static_test.go."""

from collections.abc import Sequence

import pytest

from kubelet.managers.machines import GI, ledger
from pilothouse.kubelet.managers.hints import Nodes, Unavailable
from pilothouse.kubelet.managers.memory_choice import choose, possible
from pilothouse.kubelet.managers.memory_ledger import Block, Ledger, assign

PAGES = {2**21: 512}
"""A GiB of them."""


def books(*given: tuple[Sequence[int], int], sizes: Sequence[int] = (4, 4), pages: bool = False) -> Ledger:
    made = ledger(*sizes, pages=PAGES if pages else None)
    for nodes, size in given:
        assign(made, Block(tuple(nodes), "memory", size * GI), size * GI)
    return made


def none(_nodes: Nodes, _kind: str) -> int:
    return 0


def shown(made: Ledger, *asked: int) -> str:
    kinds = dict(zip(("memory", "hugepages-2Mi"), (size * GI for size in asked), strict=False))
    return " ".join(
        f"{''.join(map(str, sorted(hint.nodes or ())))}{'+' if hint.preferred else ''}"
        for hint in possible(made, kinds, none)
    )


@pytest.mark.parametrize(
    ("made", "asked", "hints"),
    [
        (books(), (2,), "0+ 1+ 01"),
        (books(), (5,), "01+"),
        (books(), (9,), ""),
        (books(([0], 3)), (2,), "1+"),  # a node that serves alone stands in no group
        (books(([0], 3)), (5,), ""),
        (books(([0, 1], 5)), (2,), "01"),  # and one that stands in a group does not serve alone
        (books(([0, 1], 5)), (5,), ""),
        (books(([0, 1], 2), sizes=(4, 4, 4)), (5,), "01+"),
        (books(sizes=(2, 4, 2)), (4,), "1+ 01 02 12 012"),
        (books(pages=True), (1, 1), "0+ 1+ 01"),
        (books(pages=True), (1, 2), "01+"),  # all kinds from the same nodes
        (books(), (1, 1), ""),  # there are no such pages
    ],
)
def test_nodes_that_have_it_now(made: Ledger, asked: tuple[int, ...], hints: str) -> None:
    assert shown(made, *asked) == hints


def test_what_init_containers_leave_counts_where_they_had_it() -> None:
    made = books(([0], 3), ([1], 4))

    def spare(nodes: Nodes, kind: str) -> int:
        return 3 * GI if (nodes, kind) == (frozenset({0}), "memory") else 0

    assert [hint.nodes for hint in possible(made, {"memory": 4 * GI}, spare)] == [frozenset({0})]
    assert possible(made, {"memory": 4 * GI + 1}, spare) == []


@pytest.mark.parametrize(
    ("made", "asked", "affinity", "preferred", "expected"),
    [
        (books(), 2, None, False, (0,)),
        (books(), 5, None, True, (0, 1)),
        (books(), 2, {1}, True, (1,)),
        (books(), 5, {1}, False, (0, 1)),
        (books(sizes=(4, 4, 4)), 5, {1}, True, (0, 1)),  # the narrowest around it, low numbers first
        (books(), 2, {1, 7}, False, (1,)),  # nodes without memory
        (books(([0, 1], 5)), 2, None, False, (0, 1)),
        (books(([0, 1], 5)), 2, None, True, "failed to find the default preferred hint"),
        (
            books(([0], 4), ([1], 4)), 1, None, False,
            "failed to get the default NUMA affinity, no NUMA nodes with enough memory is available",
        ),
        (books(([0], 3)), 2, {0}, True, "failed to find NUMA nodes to extend the current topology hint"),
        (books(([0, 1], 5), sizes=(4, 4)), 3, {0}, True, "failed to find the extended preferred hint"),
        (books(([0], 1)), 2, {0, 1}, True, "preferred hint violates NUMA node allocation"),
        (books(([0, 1], 1), sizes=(4, 4, 4)), 2, {1, 2}, False, "preferred hint violates NUMA node allocation"),
    ],
)  # fmt: skip
def test_which_nodes_it_gets(
    made: Ledger, asked: int, affinity: set[int] | None, *, preferred: bool, expected: tuple[int, ...] | str
) -> None:
    near = None if affinity is None else frozenset(affinity)
    if isinstance(expected, tuple):
        assert choose(made, {"memory": asked * GI}, none, near, preferred=preferred) == expected
        return
    with pytest.raises(Unavailable) as refused:
        choose(made, {"memory": asked * GI}, none, near, preferred=preferred)
    assert str(refused.value) == f"Allocate failed due to [memorymanager] {expected}, which is unexpected"
    assert refused.value.reason == "UnexpectedAdmissionError"
