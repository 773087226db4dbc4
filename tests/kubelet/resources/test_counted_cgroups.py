"""How long groups of pods take is told by what is done with them."""

from pathlib import Path

from kubelet.observing import pod
from pilothouse.kubelet.resources.counted_cgroups import CountedPodCgroups
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.metrics import Metrics


def test_each_operation_is_timed(tmp_path: Path) -> None:
    metrics, web = Metrics(), pod(name="web")
    groups = CountedPodCgroups(Cgroups({"pids": tmp_path}, None), "/mine", 0, (), metrics, SystemClock())
    groups.create(web)
    groups.create(web)
    groups.resize(web, grow=True)
    assert groups.remove(web)
    counts = [
        metrics.registry.get_sample_value("kubelet_cgroup_manager_duration_seconds_count", {"operation_type": kind})
        for kind in ("create", "update", "destroy")
    ]
    assert counts == [2, 1, 1]
