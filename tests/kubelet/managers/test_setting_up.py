"""The kubelet hands out processors as it is configured."""

from pathlib import Path

import pytest

from kubelet.managers.giving import More, config
from kubelet.managers.machines import machine
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.managers.cpu_list import text
from pilothouse.kubelet.managers.hand_out import Affinities, AlignedHandout
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.setting_up import Given, set_up, with_reserved
from pilothouse.kubelet.reservations import Reservations

STATIC, NEAR = Exclusive(cpu_policy="static"), Exclusive(topology_policy="restricted")
NAMED = Exclusive(cpu_policy="static", reserved_cpus="1-2")


def given(one: KubeletConfig, nodes: int = 1) -> Given:
    return set_up(one, More(), lambda: None, Affinities(), lambda: machine(nodes, 4))


def test_nothing_stands_between_unless_it_is_asked_for(tmp_path: Path) -> None:
    more = More()
    found = set_up(config(tmp_path), more, lambda: None, Affinities())
    assert (found.handout, found.contributor, found.cpus) == (more, more, None)
    assert given(config(tmp_path, NEAR)).cpus is None


def test_processors_are_kept_for_others(tmp_path: Path) -> None:
    found = given(config(tmp_path, STATIC, Reservations(kube={"cpu": "500m"}, system={"cpu": "600m"})))
    assert isinstance(found.handout, AlignedHandout)
    assert isinstance(found.contributor, AlignedHandout)
    assert found.cpus is not None
    assert text(found.cpus.of("u", "app")) == "0-3"
    with pytest.raises(ValueError, match='configured policy "none" differs from state checkpoint policy "static"'):
        given(config(tmp_path))


def test_a_machine_may_have_too_many_nodes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unsupported on machines with more than 8 NUMA Nodes"):
        given(config(tmp_path, NEAR), 9)


def test_processors_reserved_by_name_are_what_is_reserved(tmp_path: Path) -> None:
    kept = Reservations(kube={"cpu": "500m", "memory": "1Gi"}, system={"cpu": "600m", "pid": "10"})
    assert with_reserved(config(tmp_path, STATIC, kept)).reservations == kept
    changed = with_reserved(config(tmp_path, NAMED, kept)).reservations
    assert (changed.kube, changed.system) == ({"memory": "1Gi"}, {"cpu": "2", "pid": "10"})
    with pytest.raises(ValueError, match="can't use reservedSystemCPUs"):
        with_reserved(config(tmp_path, NAMED, Reservations(kube_cgroup="/kube")))
