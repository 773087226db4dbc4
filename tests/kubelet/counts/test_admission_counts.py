"""Refusals and preemptions under upstream's names; other reasons than upstream's list have are one."""

from pathlib import Path

import pytest

from kubelet.harness import FakeNode, run
from kubelet.test_admission import asking, critical, failed, running
from pilothouse.kubelet.counts.admission_counts import AdmissionCounts
from pilothouse.runtime.metrics import Metrics


@pytest.mark.parametrize(("reason", "label"), [
    ("OutOfcpu", "OutOfcpu"), ("OutOfpods", "OutOfpods"), ("OutOfephemeral-storage", "OutOfephemeral-storage"),
    ("OutOfexample.com/foo", "OutOfExtendedResources"), ("NodeAffinity", "Other"), ("Evicted", "Evicted"),
    ("TopologyAffinityError", "TopologyAffinityError"), ("SMTAlignmentError", "Other"),
])  # fmt: skip
def test_reasons(reason: str, label: str) -> None:
    metrics = Metrics()
    AdmissionCounts(metrics).refused(reason)
    assert metrics.registry.get_sample_value("kubelet_admission_rejections_total", {"reason": label}) == 1


def test_a_refused_pod_and_one_that_makes_room_are_counted(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(asking("large", "1500m"))
        await node.until(lambda: len(running(node)) == 1)
        node.add(asking("more", "1"))
        await node.until(lambda: failed(node, "more") is not None)
        assert node.counted("admission_rejections_total", reason="OutOfcpu") == 1
        node.add(critical("vital", "1"))
        await node.until(lambda: node.pods["vital"].status.phase == "Running")
        assert '\nkubelet_preemptions{preemption_signal="cpu"} 1.0\n' in node.metrics.page().decode()
        assert node.counted("admission_rejections_total", reason="OutOfcpu") == 1

    run(tmp_path, story)
