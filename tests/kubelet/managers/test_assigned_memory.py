"""Who asks hears whose memory lies where."""

from pathlib import Path

from kubelet.managers.binding import Binder, sized
from kubelet.managers.machines import GI
from pilothouse.kubelet.managers.assigned_memory import AssignedMemory


def block(size: int, *nodes: int) -> dict[str, object]:
    return {"memory_type": "memory", "size": size * GI, "topology": {"nodes": [{"ID": node} for node in nodes]}}


def test_own_memory_is_told_until_the_pod_is_over(tmp_path: Path) -> None:
    binder = Binder(tmp_path, (4, 4))
    assert binder.give(sized("web", 5)) == "01:5"
    told = AssignedMemory(binder.memory)
    assert told.of("uid-web", "app0") == {"memory": [block(5, 0, 1)]}
    assert told.of("uid-other", "app0") == {"memory": []}
    assert told.allocatable() == {"memory": [block(3, 0), block(4, 1)]}
    binder.active = set()
    told.refresh()
    assert told.of("uid-web", "app0") == {"memory": []}
