"""A node under pressure. Upstream: eviction_manager_test.go, the admissions in TestMemoryPressure and others."""

from typing import Any

import pytest

from kubelet.admit.viewing import asking, make, view
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit.node_pressure import NodePressure
from pilothouse.kubelet.admit_handler import Refusal

MEMORY, DISK = ("MemoryPressure",), ("DiskPressure",)
TOLERATES: dict[str, Any] = {
    "tolerations": [{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"}]
}


@pytest.mark.parametrize(
    ("pressure", "pod", "taken"),
    [
        ((), make(), True),
        (MEMORY, make(), False),
        (MEMORY, asking(memory="1Mi"), True),
        (MEMORY, make(**TOLERATES), True),
        (MEMORY, make(tolerations=[{"key": "node.kubernetes.io/disk-pressure", "operator": "Exists"}]), False),
        (DISK, asking(memory="1Mi"), False),
        (DISK, make(**TOLERATES), False),
        (("PIDPressure",), asking(memory="1Mi"), False),
        ((*MEMORY, *DISK), asking(memory="1Mi"), False),
        ((*MEMORY, *DISK), make(priority=2_000_000_000), True),
        (DISK, make(metadata={"annotations": {"kubernetes.io/config.source": "file"}}), True),
        (DISK, make(status={"startTime": "2030-01-01T00:00:00Z"}), True),
    ],
)
def test_what_might_be_ended_soon_is_refused(pressure: tuple[str, ...], pod: Pod, taken: bool) -> None:
    refusal = Refusal("Evicted", f"The node had condition: [{' '.join(pressure)}]. ")
    assert NodePressure().refuse(pod, view(pressure=pressure)) == (None if taken else refusal)
