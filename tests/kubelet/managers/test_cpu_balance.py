"""Several nodes give as many each. Cases from upstream's cpu_assignment_test.go and from the words of KEP-2902."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelet.managers.machines import machine
from pilothouse.kubelet.managers.cpu_balance import take_balanced
from pilothouse.kubelet.managers.cpu_choice import take
from pilothouse.kubelet.managers.cpu_list import parse, text
from pilothouse.kubelet.managers.hints import Unavailable
from pilothouse.kubelet.managers.topology import Topology

TWO = machine(2, 4)
"""0-3 and 4-7."""
HT = machine(2, 4, 2)
"""Cores 0-3 with threads 0-3 and 8-11, cores 4-7 with threads 4-7 and 12-15."""
FOUR = machine(2, 8, nodes=4)
"""0-3, 4-7, 8-11 and 12-15."""


@pytest.mark.parametrize(
    ("topology", "available", "count", "group", "chosen"),
    [
        (TWO, "0-7", 0, 1, ""),
        (TWO, "0-7", 3, 1, "0-2"),  # one node has it
        (TWO, "0-7", 4, 1, "0-3"),
        (TWO, "0-7", 6, 1, "0-2,4-6"),
        (TWO, "0-7", 8, 1, "0-7"),
        (TWO, "1-7", 5, 1, "1-2,4-6"),  # one more from where more is left
        (TWO, "1-7", 4, 1, "4-7"),
        (TWO, "2-5", 3, 1, "2-4"),
        (TWO, "3-7", 5, 1, "3-7"),  # not to be had evenly
        (HT, "0-15", 10, 1, "0-2,4-6,8-9,12-13"),
        (HT, "0-15", 12, 2, "0-2,4-6,8-10,12-14"),
        (HT, "0-15", 10, 2, "0-2,4-5,8-10,12-13"),  # whole cores, of one node more
        (HT, "0-15", 9, 2, "0-4,8-11"),  # not so many at a time: packed
        (FOUR, "0-15", 8, 1, "0-7"),
        (FOUR, "0-15", 6, 1, "0-2,4-6"),
        (FOUR, "1-3,5-7,9-11,12-15", 6, 1, "1-3,12-14"),  # those that leave the least difference
        (FOUR, "0-3,4,8-11", 6, 1, "0-2,8-10"),
        (machine(3, 4), "0-2,4-6,8-11", 8, 1, "0-2,4-5,8-10"),  # two more, which no node has alone
    ],
)
def test_what_is_chosen(topology: Topology, available: str, count: int, group: int, chosen: str) -> None:
    assert text(take_balanced(topology, parse(available), count, group)) == text(parse(chosen))


def test_too_many_are_refused() -> None:
    with pytest.raises(Unavailable, match="not enough cpus available to satisfy request: requested=3, available=2"):
        take_balanced(TWO, parse("0,4"), 3)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_it_is_even_where_it_can_be(data: st.DataObject) -> None:
    topology = machine(data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4)), data.draw(st.integers(1, 2)))
    available = data.draw(st.frozensets(st.sampled_from(sorted(topology.ids))) | st.just(topology.ids))
    count, group = data.draw(st.integers(0, len(available))), data.draw(st.sampled_from([1, topology.threads]))
    chosen = take_balanced(topology, available, count, group)
    assert (len(chosen), chosen <= available) == (count, True)
    given_by = Counter(cpu.node for cpu in topology.cpus if cpu.id in chosen)
    packed = Counter(cpu.node for cpu in topology.cpus if cpu.id in take(topology, available, count))
    if available == topology.ids and count % group == 0 and count:
        assert max(given_by.values()) - min(given_by.values()) <= group
        assert len(given_by) == len(packed)
