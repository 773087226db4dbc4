"""Guaranteed containers get processors of their own. Facts of upstream's policy_static_test.go."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelet.managers.giving import Giver, asking, guaranteed
from kubelet.managers.machines import machine
from kubelet.observing import pod
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import find
from pilothouse.kubelet.managers.cpu_list import parse, text
from pilothouse.kubelet.managers.hints import Hint
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.policy_options import (
    ACROSS_CORES,
    ACROSS_NODES,
    BY_CACHE,
    BY_SOCKET,
    FULL_CORES,
    STRICT_RESERVATION,
)
from pilothouse.kubelet.managers.static_cpus import own_cpus, pod_cpus, reserved_cpus


@pytest.mark.parametrize(
    ("containers", "each", "together"),
    [
        ([asking("2")], [2], 2),
        ([asking("2000m"), asking("1", "b")], [2, 1], 3),
        ([asking("1500m")], [0], 0),
        ([asking("2"), asking("500m", "b")], [2, 0], 2),
        ([{"name": "app", "resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}], [2], 2),
        ([{"name": "app", "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}}], [0], 0),  # burstable
        ([{"name": "app"}], [0], 0),
    ],
)
def test_whole_processors_are_for_the_guaranteed(containers: list[JsonObject], each: list[int], together: int) -> None:
    one = pod(containers=containers)
    assert [own_cpus(one, container) for container in one.spec.containers] == each
    assert pod_cpus(one) == together


def test_who_asks_as_a_pod_has_none() -> None:
    """Assumed: PodLevelResourceManagers is off."""
    one = pod(containers=[asking("2")], resources={"limits": {"cpu": "2", "memory": "1Gi"}})
    assert own_cpus(one, one.spec.containers[0]) == 0


def test_a_pod_needs_what_runs_at_the_same_time() -> None:
    init = [asking("3", "i"), asking("1", "s", restartPolicy="Always"), asking("4", "j")]
    assert pod_cpus(guaranteed("a", "2", init=init)) == 5
    assert pod_cpus(guaranteed("a", "2", "3", init=init)) == 6


def test_processors_are_given_once_and_shared_again_when_the_pod_is_over(tmp_path: Path) -> None:
    giver = Giver(tmp_path)
    a, b = guaranteed("a", "2", "1"), guaranteed("b", "4")
    assert giver.shared == "0-7"
    assert giver.give(guaranteed("none", "500m")) == "-"
    assert giver.give(a) == giver.give(a) == "1,5 4"
    assert giver.shared == "0,2-3,6-7"
    assert text(giver.cpus.of("uid-a", "app1")) == "4"
    giver.start()
    assert giver.give(a) == "1,5 4"
    assert giver.give(guaranteed("c", "5")) == (
        "UnexpectedAdmissionError: Allocate failed due to not enough cpus available to satisfy request: "
        "requested=5, available=4, which is unexpected"
    )
    assert giver.give(b) == "2-3,6-7"
    assert giver.shared == "0"
    giver.active = {"uid-b"}
    giver.cpus.refresh()
    assert giver.shared == "0-1,4-5"
    giver.active = set()
    assert giver.give(guaranteed("d", "6")) == "1-3,5-7"


def test_near_processors_come_first(tmp_path: Path) -> None:
    giver = Giver(tmp_path, machine(2, 2, 1))
    assert giver.give(guaranteed("a", "1"), near=[1]) == "2"
    assert giver.give(guaranteed("b", "2"), near=[1]) == "1,3"


def test_what_init_containers_had_serves_the_others_and_is_shared_when_they_have_ended(tmp_path: Path) -> None:
    giver = Giver(tmp_path)
    side = asking("1", "side", restartPolicy="Always")
    one = guaranteed("a", "2", init=[asking("4", "init"), side])
    assert giver.give(one) == "1-2,5-6 4 1,5"
    assert giver.shared == "0,3,7"
    debug = find(guaranteed("x", "1", init=[asking("1", "debug")]), "debug")
    for name, own, shared in (
        ("init", "1-2,5-6", "0,3,7"), ("side", "4", "0,2-3,6-7"), ("app0", "1,5", "0,2-3,6-7"),
        ("debug", "0,2-3,6-7", "0,2-3,6-7"),
    ):  # fmt: skip
        container = find(one, name) or debug
        assert container is not None
        assert text(giver.cpus.begin(one, container)) == own
        assert giver.shared == shared


def test_who_has_some_of_its_own_has_all_their_time(tmp_path: Path) -> None:
    giver = Giver(tmp_path)
    one = guaranteed("a", "2", "500m", init=[asking("1", "init")])
    giver.give(one)
    assert giver.cpus.unthrottled("uid-a") == {"init", "app0"}
    giver.cpus.begin(one, one.spec.containers[0])
    assert giver.cpus.unthrottled("uid-a") == {"app0"}
    assert giver.cpus.unthrottled("uid-b") == frozenset()
    giver.unthrottled = False
    giver.start()
    assert giver.cpus.unthrottled("uid-a") == frozenset()


def test_whole_cores_alone_if_the_node_wants_it(tmp_path: Path) -> None:
    giver = Giver(tmp_path, options={FULL_CORES: "true"})
    uneven = "SMTAlignmentError: SMT Alignment Error: requested 3 cpus not multiple cpus per core = 2"
    assert giver.give(guaranteed("a", "3")) == uneven
    assert giver.give(guaranteed("b", "4")) == "1-2,5-6"
    assert giver.give(guaranteed("c", "4")) == (
        "SMTAlignmentError: SMT Alignment Error: not enough free physical CPUs: available physical CPUs = 2, "
        "requested CPUs = 4, CPUs per core = 2"
    )
    assert giver.give(guaranteed("b", "4")) == "1-2,5-6"


def test_the_reserved_are_shared_unless_they_are_strictly_kept(tmp_path: Path) -> None:
    giver = Giver(tmp_path, options={STRICT_RESERVATION: "true"})
    assert giver.shared == "1-7"
    assert giver.give(guaranteed("a", "7")) == "1-7"
    assert giver.shared == ""
    giver.active = set()
    giver.cpus.refresh()
    assert giver.shared == "1-7"
    giver.options = {}
    with pytest.raises(ValueError, match='not all reserved cpus: "0" are present in defaultCpuSet: "1-7"'):
        giver.start()


def test_options_say_which_processors(tmp_path: Path) -> None:
    for option, topology, asked, chosen in (
        (ACROSS_CORES, machine(1, 4, 2), "3", "1-3"),
        (ACROSS_NODES, machine(2, 4), "6", "1-6"),
        (BY_CACHE, machine(1, 8, caches=2), "4", "4-7"),
    ):
        giver = Giver(tmp_path / option, topology, {option: "true"})
        assert giver.give(guaranteed("a", asked)) == chosen
        assert Giver(tmp_path / f"not-{option}", topology).give(guaranteed("a", asked)) != chosen
    whole = Giver(tmp_path / "whole", machine(2, 4, 2), {ACROSS_NODES: "true", FULL_CORES: "true"})
    assert whole.give(guaranteed("a", "12")) == "1-6,9-14"


def test_what_is_on_a_socket_may_be_near(tmp_path: Path) -> None:
    """The option align-by-socket: two sockets with two nodes each, 0-1, 2-3, 4-5 and 6-7."""
    topology = machine(2, 4, nodes=4)
    plain, giver = Giver(tmp_path / "plain", topology), Giver(tmp_path / "wide", topology, {BY_SOCKET: "true"})
    one = guaranteed("a", "3")

    def preferred(of: Giver) -> list[list[int]]:
        hints = of.cpus.hints(one, one.spec.containers[0])["cpu"]
        return [sorted(hint.nodes or ()) for hint in hints if hint.preferred]

    assert preferred(plain) == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert preferred(giver) == preferred(plain)
    two = guaranteed("b", "1")
    hints = giver.cpus.hints(two, two.spec.containers[0])["cpu"]
    assert [sorted(hint.nodes or ()) for hint in hints if hint.preferred] == [[0], [1], [2], [3], [0, 1], [2, 3]]
    assert [of.give(guaranteed("c", "1"), near=[1]) for of in (plain, giver)] == ["2", "1"]
    assert (plain.give(one, near=[2]), giver.give(one, near=[2])) == ("1,4-5", "4-6")


def test_hints_say_where_there_is_room(tmp_path: Path) -> None:
    giver = Giver(tmp_path, machine(2, 2, 1))  # 0-1 and 2-3
    first, second, both = frozenset({0}), frozenset({1}), frozenset({0, 1})

    def told(one: Pod) -> tuple[object, object]:
        return giver.cpus.hints(one, one.spec.containers[0]).get("cpu"), giver.cpus.pod_hints(one).get("cpu")

    def same(*hints: Hint) -> tuple[object, object]:
        return list(hints), list(hints)

    assert told(guaranteed("none", "500m")) == (None, None)
    wide = Hint(both, preferred=False)
    assert told(guaranteed("a", "1")) == same(Hint(first, preferred=True), Hint(second, preferred=True), wide)
    assert told(guaranteed("a", "2")) == same(Hint(second, preferred=True), wide)
    assert told(guaranteed("a", "3")) == same(Hint(both, preferred=True))
    assert told(guaranteed("a", "4")) == same()
    giver.give(guaranteed("b", "1"), near=[1])
    assert told(guaranteed("a", "2")) == same(wide)
    # Who has some already can be where they are, and nowhere else.
    assert told(guaranteed("b", "1")) == same(Hint(second, preferred=True), wide)
    assert told(guaranteed("b", "2")) == same()


def test_hints_count_on_what_init_containers_had(tmp_path: Path) -> None:
    giver = Giver(tmp_path, machine(2, 2, 1))
    one = guaranteed("a", "2", init=[asking("1", "init")])
    asyncio.run(giver.cpus.allocate(one, one.spec.initContainers[0], frozenset({1})))
    giver.give(guaranteed("b", "1"), near=[0])
    asyncio.run(giver.cpus.allocate(one, one.spec.initContainers[0], None))
    hints = giver.cpus.hints(one, one.spec.containers[0])["cpu"]
    assert hints == [Hint(frozenset({1}), preferred=True), Hint(frozenset({0, 1}), preferred=False)]


@pytest.mark.parametrize(
    ("amount", "named", "found"),
    [
        ("100m", "", "0"),
        ("1500m", "", "0,4"),
        ("3", "", "0-1,4"),
        ("1", "2-3", "2-3"),
        ("0", "", "requires systemreserved.cpu"),
        ("9", "", "unable to reserve the required amount of CPUs"),
        ("1", "7-8", "unable to reserve CPUs that are not there: 7-8"),
    ],
)
def test_the_reserved_are_the_first_or_those_that_are_named(amount: str, named: str, found: str) -> None:
    policy, topology = Exclusive(cpu_policy="static", reserved_cpus=named), machine(1, 4, 2)
    if found[0].isdigit():
        assert text(reserved_cpus(topology, policy, parse_quantity(amount))) == found
        return
    with pytest.raises(ValueError, match=found):
        reserved_cpus(topology, policy, parse_quantity(amount))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=12),
    st.sampled_from(["", ACROSS_CORES, ACROSS_NODES, BY_CACHE, BY_SOCKET, FULL_CORES]),
    st.sampled_from([None, [0], [1]]),
)
def test_nobody_shares_what_is_given_and_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, story: list[tuple[int, int]], option: str, near: list[int] | None
) -> None:
    """Pods come (a number of processors) and go (0)."""
    options = {option: "true"} if option else {}
    giver = Giver(tmp_path_factory.mktemp("record"), machine(2, 3, 2), options, active=set())
    assert giver.active is not None
    for cpus, who in story:
        if cpus:
            giver.give(guaranteed(str(who), str(cpus)), near)
            giver.active.add(f"uid-{who}")
        else:
            giver.active.discard(f"uid-{who}")
            giver.cpus.refresh()
        sets = [giver.cpus.own(f"uid-{each}", "app0") for each in range(1, 5)] + [parse(giver.shared)]
        assert sum(map(len, sets)) == 12
        assert frozenset().union(*sets) == giver.topology.ids
        assert 0 in sets[-1]
