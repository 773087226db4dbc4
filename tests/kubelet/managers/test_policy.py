"""What may be configured. Messages are upstream's, as far as they were to be found; the others are assumed."""

from typing import Any

import pytest

from pilothouse.kubelet.managers.policy import FULL_CORES, STRICT_RESERVATION, Exclusive


def test_nothing_is_exclusive_unless_asked_for() -> None:
    policy = Exclusive()
    assert (policy.cpu_policy, policy.topology_policy, policy.topology_scope) == ("none", "none", "container")
    assert (policy.reconcile_period, policy.has(FULL_CORES)) == (10.0, False)
    assert policy.reserved == set()


def test_options_are_read() -> None:
    policy = Exclusive(cpu_policy="static", cpu_options={FULL_CORES: "True", STRICT_RESERVATION: "false"})
    assert (policy.has(FULL_CORES), policy.has(STRICT_RESERVATION)) == (True, False)
    assert Exclusive(reserved_cpus="0,2-3").reserved == {0, 2, 3}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cpu_policy": "dynamic"}, 'unknown policy: "dynamic"'),
        ({"topology_policy": "strict"}, 'unknown policy: "strict"'),
        ({"topology_scope": "node"}, 'unknown scope: "node"'),
        ({"cpu_options": {FULL_CORES: "true"}}, "None policy: received unsupported options"),
        ({"cpu_policy": "static", "cpu_options": {"x": "true"}}, r'unsupported cpumanager option: "x" \(true\)'),
        ({"cpu_policy": "static", "cpu_options": {FULL_CORES: "2"}}, f'bad value for option "{FULL_CORES}": "2"'),
        ({"reserved_cpus": "x"}, "invalid literal"),
    ],
)
def test_nonsense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Exclusive(**fields)
