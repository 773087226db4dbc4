"""Which processors are chosen. Cases from upstream's cpu_assignment_test.go, facts that hold for all from its words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelet.managers.machines import machine
from pilothouse.kubelet.managers.cpu_choice import take
from pilothouse.kubelet.managers.cpu_list import parse, text
from pilothouse.kubelet.managers.hints import Unavailable
from pilothouse.kubelet.managers.topology import Topology

HT = machine(1, 4, 2)
"""Cores 0-3 with threads 0-3 and 4-7."""
TWO = machine(2, 2, 2)
"""Cores 0-1 and 2-3, threads 0-3 and 4-7."""


@pytest.mark.parametrize(
    ("topology", "available", "count", "chosen"),
    [
        (HT, "0-7", 0, ""),
        (HT, "0-7", 1, "0"),
        (HT, "0-7", 2, "0,4"),
        (HT, "1,3,5-7", 1, "6"),  # a core that is begun
        (HT, "1,3,5-7", 2, "1,5"),  # a whole core
        (HT, "0-7", 3, "0-1,4"),
        (HT, "0-7", 8, "0-7"),
        (TWO, "0-7", 4, "0-1,4-5"),  # a whole socket
        (TWO, "1-7", 4, "2-3,6-7"),
        (TWO, "1-7", 2, "1,5"),  # the socket where less is free
        (TWO, "1-7", 5, "2-4,6-7"),
        (machine(1, 4, nodes=2), "1-3", 2, "2-3"),  # a whole NUMA node of a larger socket
        (machine(1, 4, nodes=2), "1-3", 1, "1"),
        (machine(4, 1, nodes=2), "1-3", 2, "2-3"),  # a whole NUMA node of two sockets
        (machine(4, 1, 2, nodes=2), "0-3,5-7", 2, "1,5"),  # a whole socket of the node where less is free
    ],
)
def test_what_is_chosen(topology: Topology, available: str, count: int, chosen: str) -> None:
    assert text(take(topology, parse(available), count)) == chosen


@pytest.mark.parametrize(
    ("topology", "available", "count", "chosen"),
    [
        (HT, "0-7", 2, "0-1"),
        (HT, "0-7", 5, "0-4"),
        (HT, "1,3,5-7", 3, "1,3,5"),
        (HT, "0-7", 8, "0-7"),
        (TWO, "0-7", 4, "0-1,4-5"),  # a whole socket
        (TWO, "1-7", 2, "1,4"),  # the socket where less is free
        (machine(1, 4, 2, nodes=2), "1-7", 2, "1-2"),
    ],
)
def test_threads_of_several_cores_are_chosen_if_wanted(
    topology: Topology, available: str, count: int, chosen: str
) -> None:
    """The option distribute-cpus-across-cores. Assumed: by the numbers of threads, socket by socket."""
    assert text(take(topology, parse(available), count, spread=True)) == chosen


def test_too_many_are_refused() -> None:
    with pytest.raises(Unavailable) as refused:
        take(HT, parse("0,2,4,6"), 5)
    assert str(refused.value) == (
        "Allocate failed due to not enough cpus available to satisfy request: requested=5, available=4, "
        "which is unexpected"
    )
    assert refused.value.reason == "UnexpectedAdmissionError"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whole_pieces_are_kept_and_no_core_is_split_without_need(data: st.DataObject) -> None:
    topology = machine(*(data.draw(st.integers(1, most)) for most in (3, 4, 2)))
    available = data.draw(st.frozensets(st.sampled_from(sorted(topology.ids))))
    count = data.draw(st.integers(0, len(available)))
    chosen = take(topology, available, count)
    assert len(chosen) == count
    assert chosen <= available
    assert take(topology, available, count) == chosen
    split = [core for core in cores(topology) if core <= available and 0 < len(core & chosen) < len(core)]
    assert len(split) <= 1
    whole = [core for core in cores(topology) if core <= available]
    if count % topology.threads == 0 and count <= len(whole) * topology.threads:
        assert all(core in whole for core in cores(topology) if core & chosen)
    sockets = [topology.near([node]) for node in topology.nodes]
    fitting = [socket for socket in sockets if socket <= available and len(socket) == count]
    if count and fitting:
        assert chosen in fitting


def cores(topology: Topology) -> list[frozenset[int]]:
    return sorted({topology.siblings([cpu]) for cpu in topology.ids}, key=min)
