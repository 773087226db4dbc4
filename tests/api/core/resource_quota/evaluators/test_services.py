"""What Services use. Source: pkg/quota/v1/evaluator/core/services_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.resource_quota.evaluator import Change
from pilothouse.api.core.resource_quota.evaluators.services import Services

SERVICES = Services()
PORTS = [{"port": 80}, {"port": 443, "nodePort": 30443}]


@pytest.mark.parametrize(
    ("spec", "ports", "balancers"),
    [
        pytest.param({}, "0", "0", id="no type"),
        pytest.param({"type": "ClusterIP", "ports": PORTS}, "0", "0", id="ClusterIP"),
        pytest.param({"type": "NodePort", "ports": PORTS}, "2", "0", id="NodePort"),
        pytest.param({"type": "LoadBalancer", "ports": PORTS}, "2", "1", id="LoadBalancer"),
        pytest.param({"type": "LoadBalancer", "ports": PORTS, "allocateLoadBalancerNodePorts": False}, "1", "1",
                     id="without node ports but the one that is named"),
        pytest.param({"type": "ExternalName", "ports": PORTS}, "0", "0", id="ExternalName"),
    ],
)  # fmt: skip
def test_usage(spec: dict[str, Any], ports: str, balancers: str) -> None:
    used = {name: str(amount) for name, amount in SERVICES.usage({"spec": spec}, 0).items()}
    assert used == {
        "count/services": "1", "services": "1", "services.nodeports": ports, "services.loadbalancers": balancers,
    }  # fmt: skip


def test_an_update_may_use_more() -> None:
    assert SERVICES.handles(Change("UPDATE", {}, {}))
    assert not SERVICES.handles(Change("UPDATE", {}, {}, "status"))
    assert SERVICES.counts_anew({"spec": {"type": "LoadBalancer"}}, {"spec": {"type": "ClusterIP"}}, 0)
    assert not SERVICES.counts_anew({"spec": {"type": "ClusterIP"}}, {"spec": {"type": "ExternalName"}}, 0)


def test_no_scope_is_of_services() -> None:
    assert not SERVICES.in_scope({"scopeName": "NotTerminating", "operator": "Exists"}, {})
