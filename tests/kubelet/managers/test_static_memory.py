"""Guaranteed containers have their memory from certain nodes. Facts of upstream's policy_static_test.go."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelet.managers.binding import Binder, shown, sized, wanting
from kubelet.managers.machines import GI
from kubelet.observing import pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import find
from pilothouse.kubelet.managers.hints import Hint
from pilothouse.kubelet.managers.memory_ledger import Block
from pilothouse.kubelet.managers.static_memory import StaticMemory, own_memory, pod_memory

FULL = (
    "UnexpectedAdmissionError: Allocate failed due to [memorymanager] failed to get the default NUMA affinity, "
    "no NUMA nodes with enough memory is available, which is unexpected"
)


@pytest.mark.parametrize(
    ("containers", "each"),
    [
        ([wanting(2, pages=1)], [{"hugepages-2Mi": GI, "memory": 2 * GI}]),
        ([{"name": "app", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}], [{"memory": GI}]),
        ([wanting(1), {"name": "b"}], [{}, {}]),  # burstable
        ([{"name": "app"}], [{}]),
    ],
)
def test_the_guaranteed_have_theirs(containers: list[JsonObject], each: list[dict[str, int]]) -> None:
    one = pod(containers=containers)
    assert [own_memory(one, container) for container in one.spec.containers] == each


def test_who_asks_as_a_pod_has_none() -> None:
    one = pod(containers=[wanting(1)], resources={"limits": {"cpu": "2", "memory": "1Gi"}})
    assert own_memory(one, one.spec.containers[0]) == pod_memory(one) == {}


def test_a_pod_needs_what_runs_at_the_same_time() -> None:
    init = [wanting(3, "i"), wanting(1, "s", restartPolicy="Always"), wanting(4, "j")]
    assert pod_memory(sized("a", 2, init=init)) == {"memory": 5 * GI}
    assert pod_memory(sized("a", 2, 3, init=init)) == {"memory": 6 * GI}


def test_memory_is_given_once_and_to_others_when_the_pod_is_over(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (4, 4))
    assert binder.give(pod(metadata={"uid": "uid-x", "name": "x"}, containers=[{"name": "app"}])) == "-"
    assert binder.give(sized("a", 2, 1)) == binder.give(sized("a", 2, 1)) == "0:2 0:1"
    assert binder.give(sized("b", 3)) == "1:3"
    binder.start()
    assert binder.give(sized("b", 3)) == "1:3"
    assert binder.give(sized("c", 2)) == FULL
    binder.active = {"uid-b"}
    assert binder.give(sized("c", 2)) == "0:2"
    assert binder.has(sized("a", 2, 1)) == "- -"


def test_huge_pages_are_from_the_same_nodes(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (4, 4), pages={2**21: 512})
    first = pod(metadata={"uid": "uid-a", "name": "a"}, containers=[wanting(1, pages=1)])
    second = pod(metadata={"uid": "uid-b", "name": "b"}, containers=[wanting(1, pages=1)])
    third = pod(metadata={"uid": "uid-c", "name": "c"}, containers=[wanting(1, pages=1)])
    assert [binder.give(one) for one in (first, second)] == ["0:1+0:1", "1:1+1:1"]
    assert binder.give(third) == FULL
    assert binder.memory.begin(first, first.spec.containers[0]) == (0,)


def test_nodes_serve_alone_or_in_a_group(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (4, 4, 4, 4))
    assert binder.give(sized("a", 6)) == "01:6"
    assert binder.give(sized("b", 2), near=[0]) == (
        "UnexpectedAdmissionError: Allocate failed due to [memorymanager] failed to find NUMA nodes to extend the "
        "current topology hint, which is unexpected"
    )
    assert binder.give(sized("b", 2)) == "2:2"
    assert binder.give(sized("c", 1)) == "2:1"
    assert binder.memory.begin(sized("a", 6), sized("a", 6).spec.containers[0]) == (0, 1)


def test_what_init_containers_had_serves_the_others_and_is_given_back_when_they_have_ended(tmp_path: Path) -> None:
    """The sum over the containers is what the pod has."""
    binder = Binder(tmp_path, (5, 1))
    side = wanting(1, "side", restartPolicy="Always")
    one = sized("a", 2, init=[wanting(3, "init"), side])
    assert binder.give(one) == "0:0 0:1 0:2"
    assert binder.give(sized("b", 1)) == "0:1"
    two = sized("c", 1, init=[wanting(1, "init")])
    assert binder.give(two) == "1:0 1:1"
    binder.start()
    binder.active = {"uid-a"}
    for name, has in (("init", "0:0 0:1 0:2"), ("side", "- 0:1 0:2"), ("app0", "- 0:1 0:2"), ("debug", "- 0:1 0:2")):
        container = find(one, name) or find(sized("x", 1, init=[wanting(1, "debug")]), "debug")
        assert container is not None
        assert binder.memory.begin(one, container) == (() if name == "debug" else (0,))
        assert binder.has(one) == has


def test_init_containers_leave_what_the_others_do_not_take(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (5,))
    one = sized("a", 1, init=[wanting(3, "init"), wanting(2, "second")])
    assert binder.give(one) == "0:0 0:2 0:1"  # three in all
    assert binder.give(sized("b", 2)) == FULL
    binder.memory.begin(one, one.spec.containers[0])
    assert binder.has(one) == "- - 0:1"
    assert binder.give(sized("b", 3)) == "0:3"


def test_who_is_judged_anew_is_given_all_anew(tmp_path: Path) -> None:
    """What its init containers left the first time, others may have."""
    binder = Binder(tmp_path, (5,))
    one = sized("a", 1, init=[wanting(3, "init")])
    assert binder.give(one) == "0:2 0:1"
    binder.active = set()
    binder.memory.refresh()
    binder.active = None
    assert binder.give(one) == "0:2 0:1"
    assert binder.give(sized("b", 2)) == FULL
    assert binder.give(sized("b", 1)) == "0:1"


def test_hints_say_where_there_is_room(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (4, 4))
    first, second, both = frozenset({0}), frozenset({1}), frozenset({0, 1})

    def told(one: Pod) -> tuple[object, object]:
        memory = binder.memory
        return memory.hints(one, one.spec.containers[0]), memory.pod_hints(one)

    def same(*hints: Hint) -> tuple[object, object]:
        return {"memory": list(hints)}, {"memory": list(hints)}

    assert told(pod(containers=[{"name": "app"}])) == ({}, {})
    wide = Hint(both, preferred=False)
    assert told(sized("a", 2)) == same(Hint(first, preferred=True), Hint(second, preferred=True), wide)
    assert told(sized("a", 4)) == same(Hint(second, preferred=True), wide)
    assert told(sized("a", 7)) == same(Hint(both, preferred=True))
    assert told(sized("a", 8)) == ({}, {})  # it is refused when it is to be given
    binder.give(sized("b", 1), near=[1])
    assert told(sized("a", 4)) == ({}, {})
    # Who has some already is where that is.
    assert told(sized("b", 1)) == same(Hint(second, preferred=True))
    assert told(sized("b", 2)) == ({}, {})
    binder.active = set()
    assert told(sized("a", 4)) == same(Hint(second, preferred=True), wide)
    assert binder.has(sized("b", 1)) == "-"


def test_no_wider_than_needed_where_the_policy_is_strict(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (4, 4), strict=True)
    assert binder.give(sized("a", 6)) == "01:6"
    assert "failed to find the default preferred hint" in binder.give(sized("b", 1))
    binder.strict = False
    binder.start()
    assert binder.give(sized("b", 1)) == "01:1"


def test_a_record_of_another_machine_is_refused(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (4, 4))
    binder.sizes = (4, 5)
    with pytest.raises(ValueError, match="the expected machine state is different from the real one"):
        binder.start()


def books(memory: StaticMemory) -> dict[tuple[int, ...], int]:
    """What is left, by group."""
    found: dict[tuple[int, ...], int] = {}
    for place in memory._record.ledger.values():
        amounts = place.kinds["memory"]
        assert amounts.free + amounts.reserved == amounts.allocatable
        found[place.group] = found.get(place.group, 0) + amounts.reserved
    return found


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_no_byte_is_given_twice_and_none_is_lost(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Pods come, have their containers begin, go, and kubelets restart."""
    binder = Binder(
        tmp_path_factory.mktemp("record"), data.draw(st.sampled_from([(4,), (4, 3), (3, 4, 5)])), active=set()
    )
    pods: dict[str, Pod] = {}
    for step in range(data.draw(st.integers(1, 10))):
        what = data.draw(st.sampled_from(["come", "come", "begin", "go", "restart"]))
        if what == "come":
            inits = data.draw(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=2))
            init = [
                wanting(size, f"i{number}", restartPolicy="Always" if stays else "")
                for number, (size, stays) in enumerate(inits)
            ]
            one = sized(str(step), *data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=2)), init=init)
            if "Error" not in binder.give(one):
                pods[one.metadata.uid] = one
        elif what == "begin" and pods:
            one = data.draw(st.sampled_from(list(pods.values())))
            binder.memory.begin(one, one.spec.containers[0])
        elif what == "go" and pods:
            del pods[data.draw(st.sampled_from(sorted(pods)))]
        elif what == "restart":
            binder.start()
        binder.active = set(pods)
        binder.memory.refresh()
        held: dict[tuple[int, ...], int] = {}
        for one in pods.values():
            for container in [*one.spec.initContainers, *one.spec.containers]:
                for block in binder.memory.own(one.metadata.uid, container.name):
                    held[block.nodes] = held.get(block.nodes, 0) + block.size
            for container in one.spec.containers:
                assert sum(block.size for block in binder.memory.own(one.metadata.uid, container.name)) >= GI
        assert {group: size for group, size in books(binder.memory).items() if size} == {
            nodes: size for nodes, size in held.items() if size
        }


def test_blocks_are_shown_by_nodes() -> None:
    assert shown([Block((0, 1), "memory", 5 * GI), Block((0, 1), "hugepages-2Mi", GI)]) == "01:5+01:1"
