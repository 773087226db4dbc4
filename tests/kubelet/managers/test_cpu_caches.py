"""Who shares a cache is chosen together. Cases follow cpu_assignment_test.go and KEP-4800."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelet.managers.machines import machine
from pilothouse.kubelet.managers.cpu_caches import by_cache
from pilothouse.kubelet.managers.cpu_choice import take
from pilothouse.kubelet.managers.cpu_list import parse, text
from pilothouse.kubelet.managers.topology import Topology

HT = machine(1, 8, 2, caches=2)
"""Cores 0-3 with threads 0-3 and 8-11 share a cache, 4-7 and 12-15 the other."""
TWO = machine(2, 4, caches=4)
"""0-1, 2-3, 4-5 and 6-7 on two sockets."""
FOUR = machine(1, 8, caches=4)


@pytest.mark.parametrize(
    ("topology", "available", "count", "chosen"),
    [
        (HT, "3-7,11-15", 8, "4-7,12-15"),  # a whole cache
        (HT, "0-15", 10, "0-4,8-12"),  # and the rest from the other
        (HT, "0-15", 3, "0-1,8"),
        (HT, "3-7,11-15", 4, "4-5,12-13"),  # not across caches
        (HT, "1-4,9-12", 6, "1-3,9-11"),
        (HT, "2-3,4-5,10-11,12-13", 6, "2-4,10-12"),  # where it cannot be, as always
        (HT, "0-15", 16, "0-15"),
        (TWO, "1-7", 2, "2-3"),
        (TWO, "0-7", 4, "0-3"),  # a whole socket first
        (TWO, "1,3-7", 4, "4-7"),
        (TWO, "1,3-7", 3, "1,4-5"),  # the rest from the smallest piece
        (FOUR, "1-7", 4, "2-5"),
        (FOUR, "1-7", 5, "1-5"),
        (FOUR, "1-7", 1, "1"),  # the smallest piece
    ],
)
def test_what_is_chosen(topology: Topology, available: str, count: int, chosen: str) -> None:
    assert text(take(topology, parse(available), count, between=by_cache)) == chosen


def test_nothing_is_taken_when_nothing_is_missing() -> None:
    assert by_cache(HT, HT.ids, 0) == frozenset()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_more_is_taken_than_is_missing_and_the_rest_is_taken_as_always(data: st.DataObject) -> None:
    sockets, threads = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    topology = machine(sockets, 4, threads, caches=data.draw(st.sampled_from([2, 4])))
    available = data.draw(st.frozensets(st.sampled_from(sorted(topology.ids))))
    count = data.draw(st.integers(0, len(available)))
    part = by_cache(topology, available, count)
    assert part <= available
    assert len(part) <= count
    chosen = take(topology, available, count, between=by_cache)
    assert chosen <= available
    assert len(chosen) == count
    # Who fits into a cache of which all is free has it from one.
    size = len(topology.cpus) // topology.caches
    whole = [cache for cache in range(topology.caches) if _free(topology, available, cache) == size]
    if whole and 0 < count <= size and count % topology.threads == 0:
        assert len({cpu.cache for cpu in topology.cpus if cpu.id in chosen}) == 1


def _free(topology: Topology, available: frozenset[int], cache: int) -> int:
    return sum(cpu.cache == cache and cpu.id in available for cpu in topology.cpus)
