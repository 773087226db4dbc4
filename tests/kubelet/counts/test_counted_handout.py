"""Hand-outs are counted and timed."""

import asyncio
from collections.abc import Mapping

from kubelet.observing import pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.counts.counted_handout import CountedHandout
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.metrics import Metrics


class Miser:
    """Gives nothing to pods called `poor`."""

    async def hand_out(self, of: Pod) -> Refusal | None:
        return Refusal("TopologyAffinityError", "far") if of.metadata.name == "poor" else None

    def known_to(self, of: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
        return {**allocatable, "of": of.metadata.name}


def test_refusals_are_errors() -> None:
    metrics = Metrics()
    handout = CountedHandout(Miser(), metrics, SystemClock())
    assert asyncio.run(handout.hand_out(pod(name="rich"))) is None
    assert asyncio.run(handout.hand_out(pod(name="poor"))) == Refusal("TopologyAffinityError", "far")
    assert handout.known_to(pod(name="rich"), {"cpu": "1"}) == {"cpu": "1", "of": "rich"}
    said = metrics.registry.get_sample_value
    assert said("kubelet_topology_manager_admission_requests_total") == 2
    assert said("kubelet_topology_manager_admission_errors_total") == 1
    assert said("kubelet_topology_manager_admission_duration_ms_count") == 2
