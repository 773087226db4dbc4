"""Who asks hears whose processors are whose."""

from pathlib import Path

from kubelet.managers.giving import Giver, guaranteed
from pilothouse.kubelet.managers.assigned_cpus import AssignedCpus


def test_own_processors_are_told_until_the_pod_is_over(tmp_path: Path) -> None:
    giver = Giver(tmp_path)
    assert giver.give(guaranteed("web", "2", "500m")) == "1,5 -"
    told = AssignedCpus(giver.cpus)
    assert told.of("uid-web", "app0") == {"cpu_ids": [1, 5]}
    assert told.of("uid-web", "app1") == told.of("uid-other", "app0") == {"cpu_ids": []}
    assert told.allocatable() == {"cpu_ids": [1, 2, 3, 4, 5, 6, 7]}
    giver.active = set()
    told.refresh()
    assert told.of("uid-web", "app0") == {"cpu_ids": []}
