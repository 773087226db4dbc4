"""What may be configured. Messages are upstream's."""

from typing import Any

import pytest

from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.policy_options import BY_SOCKET, CLOSEST, FULL_CORES, MOST_NODES, STRICT_RESERVATION


def test_nothing_is_exclusive_unless_asked_for() -> None:
    policy = Exclusive()
    assert (policy.cpu_policy, policy.topology_policy, policy.topology_scope) == ("none", "none", "container")
    assert (policy.reconcile_period, policy.has(FULL_CORES)) == (10.0, False)
    assert policy.reserved == set()


def test_options_are_read() -> None:
    policy = Exclusive(cpu_policy="static", cpu_options={FULL_CORES: "True", STRICT_RESERVATION: "false"})
    assert (policy.has(FULL_CORES), policy.has(STRICT_RESERVATION)) == (True, False)
    assert Exclusive(reserved_cpus="0,2-3").reserved == {0, 2, 3}
    assert (policy.closest, policy.most_nodes) == (False, 8)
    near = Exclusive(topology_policy="restricted", topology_options={CLOSEST: "1", MOST_NODES: "16"})
    assert (near.closest, near.most_nodes) == (True, 16)
    assert Exclusive(topology_options={"x": "1"}).topology_policy == "none"  # who looks at them?


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cpu_policy": "dynamic"}, 'unknown policy: "dynamic"'),
        ({"topology_policy": "strict"}, 'unknown policy: "strict"'),
        ({"topology_scope": "node"}, 'unknown scope: "node"'),
        ({"cpu_options": {FULL_CORES: "true"}}, rf"None policy: received unsupported options=map\[{FULL_CORES}:true\]"),
        ({"cpu_policy": "static", "cpu_options": {"x": "true"}}, 'unknown CPU Manager Policy option: "x"'),
        ({"cpu_policy": "static", "cpu_options": {FULL_CORES: "2"}}, f'bad value for option "{FULL_CORES}"'),
        ({"reserved_cpus": "x"}, "invalid literal"),
        ({"topology_policy": "restricted", "topology_options": {"x": "1"}}, "unknown Topology Manager Policy option"),
        (
            {
                "cpu_policy": "static",
                "cpu_options": {BY_SOCKET: "true"},
                "alpha_options": True,
                "topology_policy": "single-numa-node",
            },
            "Topolgy manager single-numa-node policy is incompatible with CPUManager align-by-socket policy option",
        ),
    ],
)
def test_nonsense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Exclusive(**fields)
