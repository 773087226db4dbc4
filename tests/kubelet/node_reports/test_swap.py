"""The node tells how much swap it has."""

import asyncio

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.node_report import ReportFacts
from pilothouse.kubelet.node_reports.swap import Swap
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.fake_cri import FakeCri


@pytest.mark.parametrize(("swap", "expected"), [(4096, {"swap": {"capacity": 4096}}), (0, {})])
def test_its_size(swap: int, expected: JsonObject) -> None:
    """*Assumed*: a machine without says nothing."""
    status: JsonObject = {"nodeInfo": {}}
    machine = Machine(2, 4 << 30, {}, "m", "u", "b", "6.1", "Debian", "amd64", swap=swap)
    identity = NodeIdentity(name="n1", address="10.0.0.1", kubelet_port=10250)
    asyncio.run(Swap().amend(status, ReportFacts(identity, machine, FakeCri(SystemClock()))))
    assert status["nodeInfo"] == expected
