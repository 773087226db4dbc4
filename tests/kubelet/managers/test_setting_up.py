"""The kubelet hands out processors as it is configured."""

import asyncio
from pathlib import Path

import pytest

from kubelet.managers.binding import shown, sized
from kubelet.managers.giving import More, config
from kubelet.managers.machines import GI, machine, memory
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.managers.cpu_list import text
from pilothouse.kubelet.managers.hand_out import Affinities, AlignedHandout
from pilothouse.kubelet.managers.memory_nodes import NodeMemory
from pilothouse.kubelet.managers.memory_policy import MemoryPolicy, NodeReservation
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.policy_options import BY_SOCKET, CLOSEST, MOST_NODES
from pilothouse.kubelet.managers.setting_up import Given, set_up, with_reserved
from pilothouse.kubelet.managers.topology import Topology
from pilothouse.kubelet.reservations import Reservations

BOUND = MemoryPolicy(policy="Static", reserved=(NodeReservation(0, {"memory": "1Gi"}),))
STATIC, NEAR = Exclusive(cpu_policy="static"), Exclusive(topology_policy="restricted")
NAMED = Exclusive(cpu_policy="static", reserved_cpus="1-2")


def given(one: KubeletConfig, nodes: int = 1) -> Given:
    return set_up(one, More(), lambda: None, Affinities(), lambda: machine(nodes, 4))


def test_nothing_stands_between_unless_it_is_asked_for(tmp_path: Path) -> None:
    more = More()
    found = set_up(config(tmp_path), more, lambda: None, Affinities())
    assert (found.handout, found.contributor, found.cpus, found.memory) == (more, more, None, None)
    assert given(config(tmp_path, NEAR)).cpus is None


def test_processors_are_kept_for_others(tmp_path: Path) -> None:
    found = given(config(tmp_path, STATIC, Reservations(kube={"cpu": "500m"}, system={"cpu": "600m"})))
    assert isinstance(found.handout, AlignedHandout)
    assert isinstance(found.contributor, AlignedHandout)
    assert found.cpus is not None
    assert text(found.cpus.of("u", "app")) == "0-3"
    with pytest.raises(ValueError, match='configured policy "none" differs from state checkpoint policy "static"'):
        given(config(tmp_path))


def bound(root: Path, exclusive: Exclusive, one: Pod) -> str:
    """What the containers have; why not."""
    kept, topology = {"memory": parse_quantity("1Gi")}, Topology(machine(2, 4).cpus, memory(4, 4))
    found = set_up(
        config(root, exclusive, memory=BOUND), More(), lambda: None, Affinities(), lambda: topology, lambda: kept
    )
    assert isinstance(found.handout, AlignedHandout)
    assert found.memory is not None
    if refusal := asyncio.run(found.handout.hand_out(one)):
        return refusal.message
    return " ".join(shown(found.memory.own(one.metadata.uid, container.name)) for container in one.spec.containers)


def test_memory_is_bound_as_the_policies_have_it(tmp_path: Path) -> None:
    assert bound(tmp_path, Exclusive(), sized("a", 3)) == "0:3"
    assert bound(tmp_path, Exclusive(topology_policy="restricted"), sized("b", 1)) == "1:1"
    far = "Resources cannot be allocated with Topology locality"
    assert bound(tmp_path / "fresh", Exclusive(topology_policy="single-numa-node"), sized("c", 5)) == far
    assert bound(tmp_path / "fresh", Exclusive(topology_policy="best-effort"), sized("c", 5)) == "01:5"
    # Too much for a pod tells where nothing is; its first container would still be spread wider than need be.
    whole = Exclusive(topology_policy="single-numa-node", topology_scope="pod")
    assert "failed to find the default preferred hint" in bound(tmp_path / "fresh", whole, sized("d", 1, 9))
    with pytest.raises(ValueError, match='configured policy "None" differs from state checkpoint policy "Static"'):
        given(config(tmp_path))


def test_as_much_memory_must_be_kept_as_is_reserved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='value "0" determined by Node Allocatable'):
        set_up(
            config(tmp_path, memory=BOUND), More(), lambda: None, Affinities(),
            lambda: Topology(machine().cpus, memory(4)),
        )  # fmt: skip


def test_a_machine_may_have_too_many_nodes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unsupported on machines with more than 8 NUMA Nodes"):
        given(config(tmp_path, NEAR), 9)
    many = Exclusive(topology_policy="restricted", topology_options={MOST_NODES: "9"})
    assert given(config(tmp_path, many), 9).cpus is None


def test_sockets_must_not_be_smaller_than_nodes_to_be_aligned_by(tmp_path: Path) -> None:
    """Message: ValidateStaticPolicyOptions."""
    wide = Exclusive(cpu_policy="static", cpu_options={BY_SOCKET: "true"}, alpha_options=True)
    one = config(tmp_path, wide, Reservations(kube={"cpu": "1"}))
    with pytest.raises(ValueError, match="Align by socket is not compatible with hardware where number of sockets"):
        set_up(one, More(), lambda: None, Affinities(), lambda: machine(2, 4, nodes=1))
    assert set_up(one, More(), lambda: None, Affinities(), lambda: machine(2, 4)).cpus is not None


@pytest.mark.parametrize(("closest", "nodes"), [("true", "12"), ("false", "01")])
def test_memory_may_be_from_the_nodes_nearest_to_each_other(closest: str, nodes: str, tmp_path: Path) -> None:
    near = Exclusive(topology_policy="best-effort", topology_options={CLOSEST: closest})
    apart = {0: (10, 30, 30), 1: (30, 10, 11), 2: (30, 11, 10)}
    each = tuple(NodeMemory(node, 4 * GI, distances=apart[node]) for node in apart)
    found = set_up(
        config(tmp_path, near, memory=BOUND), More(), lambda: None, Affinities(),
        lambda: Topology(machine(3, 2).cpus, each), lambda: {"memory": parse_quantity("1Gi")},
    )  # fmt: skip
    assert asyncio.run(found.handout.hand_out(sized("a", 6))) is None
    assert found.memory is not None
    assert shown(found.memory.own("uid-a", "app0")) == f"{nodes}:6"


def test_processors_reserved_by_name_are_what_is_reserved(tmp_path: Path) -> None:
    kept = Reservations(kube={"cpu": "500m", "memory": "1Gi"}, system={"cpu": "600m", "pid": "10"})
    assert with_reserved(config(tmp_path, STATIC, kept)).reservations == kept
    changed = with_reserved(config(tmp_path, NAMED, kept)).reservations
    assert (changed.kube, changed.system) == ({"memory": "1Gi"}, {"cpu": "2", "pid": "10"})
    with pytest.raises(ValueError, match="can't use reservedSystemCPUs"):
        with_reserved(config(tmp_path, NAMED, Reservations(kube_cgroup="/kube")))
