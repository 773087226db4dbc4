"""The node's status says what the runtime's handlers can do."""

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.features import Features, Handler
from pilothouse.kubelet.cri.interface import CriError, RuntimeStatus
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.node_report import ReportFacts
from pilothouse.kubelet.node_reports.runtime import RuntimeFeatures
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run

MODERN = (Handler("runc", recursive_read_only=True, user_namespaces=True), Handler(""))
NONE = {"recursiveReadOnlyMounts": False, "userNamespaces": False}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (RuntimeStatus(()), {}),
        (RuntimeStatus((), MODERN, Features(supplemental_groups_policy=True)),
         {"runtimeHandlers": [{"features": NONE}, {"name": "runc", "features": dict.fromkeys(NONE, True)}],
          "features": {"supplementalGroupsPolicy": True}}),
        (None, {}),
    ],
    ids=["an old one", "a new one", "one that does not answer"],
)  # fmt: skip
def test_handlers_and_features(told: RuntimeStatus | None, status: JsonObject) -> None:
    class Runtime(FakeCri):
        async def status(self) -> RuntimeStatus:
            if told is None:
                raise CriError("UNAVAILABLE", "nobody there")
            return told

    async def story(clock: LoopClock, _chance: Chance) -> None:
        identity = NodeIdentity(name="n1", address="10.0.0.1", kubelet_port=1)
        found: JsonObject = {}
        await RuntimeFeatures().amend(found, ReportFacts(identity, Machine.read(), Runtime(clock)))
        assert found == status

    run(story)
