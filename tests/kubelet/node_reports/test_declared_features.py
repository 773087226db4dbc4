"""What the node's status says of its features."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.features import Features
from pilothouse.kubelet.cri.interface import CriError, RuntimeStatus
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.node_report import ReportFacts
from pilothouse.kubelet.node_reports.declared_features import DeclaredFeatures
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.fake_cri import FakeCri
from pilothouse.testing.loop import run


class Modern(FakeCri):
    """Can do everything, and does not answer at first."""

    asked = 0

    async def status(self) -> RuntimeStatus:
        self.asked += 1
        if self.asked == 1:
            raise CriError("UNAVAILABLE", "nobody there")
        return RuntimeStatus((), (), Features(user_namespaces_host_network=True))


def test_features_are_listed_in_order_and_the_runtime_is_asked_until_it_answers() -> None:
    async def story(clock: LoopClock, _chance: Chance) -> None:
        report, cri = DeclaredFeatures(), Modern(clock)
        facts = ReportFacts(NodeIdentity(name="n1", address="10.0.0.1", kubelet_port=1), Machine.read(), cri)
        told = []
        for _ in range(3):
            status: JsonObject = {}
            await report.amend(status, facts)
            told.append(status["declaredFeatures"])
        ours = ["GuaranteedQoSPodCPUResize", "RestartAllContainersOnContainerExits"]
        all_of_them = [*ours, "UserNamespacesHostNetworkSupport"]
        assert (told, cri.asked) == ([ours, all_of_them, all_of_them], 2)

    run(story)
