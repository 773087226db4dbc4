"""What may be configured. Messages: validation_reserved_memory.go, memory_manager.go."""

from collections.abc import Sequence

import pytest

from kubelet.managers.machines import memory
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.kubelet.managers.memory_policy import MemoryPolicy, NodeReservation

TWO = memory(4, 4)


def kept(*each: tuple[int, dict[str, str]]) -> tuple[NodeReservation, ...]:
    return tuple(NodeReservation(node, limits) for node, limits in each)


def test_memory_is_from_anywhere_unless_asked_for() -> None:
    assert MemoryPolicy() == MemoryPolicy(policy="None", reserved=())


@pytest.mark.parametrize(
    ("policy", "reserved", "message"),
    [
        ("static", (), 'unknown policy: "static"'),
        ("BestEffort", (), 'policy "BestEffort" is not available for platform "linux"'),
        (
            "Static", kept((0, {"cpu": "1"})),
            ('invalid configuration: the limit type "cpu" for NUMA node 0 is not supported, '
            "only [memory hugepages-<HugePageSize>] is accepted"),
        ),
        (
            "Static", kept((1, {"hugepages-2Mi": "0"})),
            'invalid configuration: reserved memory may not be zero for NUMA node 1 and resource "hugepages-2Mi"',
        ),
        (
            "Static", kept((1, {"memory": "1Gi"}), (1, {"memory": "1Gi"})),
            ("invalid configuration: the reserved memory has a duplicate value for NUMA node 1 and resource "
            '"memory"'),
        ),
    ],
)  # fmt: skip
def test_nonsense_is_refused(policy: str, reserved: tuple[NodeReservation, ...], message: str) -> None:
    with pytest.raises(ValueError, match=r"policy|invalid configuration") as refused:
        MemoryPolicy(policy=policy, reserved=reserved)
    assert str(refused.value) == message


def test_as_much_is_kept_of_the_nodes_as_is_kept_in_all() -> None:
    policy = MemoryPolicy(policy="Static", reserved=kept((0, {"memory": "1Gi"}), (1, {"memory": "512Mi"})))
    whole = {"memory": parse_quantity("1536Mi"), "cpu": parse_quantity("1")}
    assert policy.kept(TWO, whole) == {0: {"memory": 2**30}, 1: {"memory": 2**29}}


@pytest.mark.parametrize(
    ("reserved", "whole", "message"),
    [
        (
            kept((2, {"memory": "1Gi"})), "1Gi",
            "the reserved memory configuration references a NUMA node 2 that does not exist on this machine",
        ),
        (
            kept((0, {"memory": "1Gi"})), "1124Mi",
            ('the total amount "1Gi" of type "memory" is not equal to the value "1124Mi" determined by Node '
            "Allocatable feature"),
        ),
        (
            (), "100Mi",
            ('the total amount "0" of type "memory" is not equal to the value "100Mi" determined by Node '
            "Allocatable feature"),
        ),
        (
            kept((0, {"memory": "1Gi", "hugepages-2Mi": "4Mi"})), "1Gi",
            ('the total amount "4Mi" of type "hugepages-2Mi" is not equal to the value "0" determined by Node '
            "Allocatable feature"),
        ),
        ((), "0", "[memorymanager] you should specify the system reserved memory"),
    ],
)  # fmt: skip
def test_what_is_kept_must_be_the_same(reserved: Sequence[NodeReservation], whole: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"reserved memory|total amount") as refused:
        MemoryPolicy(policy="Static", reserved=tuple(reserved)).kept(TWO, {"memory": parse_quantity(whole)})
    assert str(refused.value) == message
