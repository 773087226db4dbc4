"""What memory lies near to which NUMA node, and how far these are from each other: read from /sys.

Sources: sysfs-devices-node, the kernel's "HugeTLB Pages". Upstream takes the same from cAdvisor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.kubelet.machine import memory_sizes

_NODES = "sys/devices/system/node"


@dataclass(frozen=True, slots=True)
class NodeMemory:
    """That of one NUMA node."""

    node: int
    size: int
    """In bytes, with what is set aside for huge pages."""
    hugepages: Mapping[int, int] = field(default_factory=dict)
    """How many are set aside, by size in bytes."""
    distances: tuple[int, ...] = ()
    """From here to all nodes in their order, as the firmware has it."""


def read_nodes(root: Path = Path("/")) -> tuple[NodeMemory, ...]:
    """This machine's, or what files below `root` say of one. Raises OSError, ValueError."""
    places = [place for place in (root / _NODES).glob("node[0-9]*") if (place / "meminfo").exists()]
    found = [_node(place, int(place.name.removeprefix("node"))) for place in places]
    if not found and (whole := root / "proc/meminfo").exists():
        pages = _hugepages(root / "sys/kernel/mm/hugepages")
        found = [NodeMemory(0, memory_sizes(whole.read_text())["MemTotal"], pages)]
    return tuple(sorted(found, key=lambda one: one.node))


def _node(place: Path, number: int) -> NodeMemory:
    prefix = f"Node {number} "
    sizes = memory_sizes((place / "meminfo").read_text().replace(prefix, ""))
    distance = place / "distance"
    distances = tuple(map(int, distance.read_text().split())) if distance.exists() else ()
    return NodeMemory(number, sizes.get("MemTotal", 0), _hugepages(place / "hugepages"), distances)


def _hugepages(directory: Path) -> dict[int, int]:
    places = sorted(directory.glob("hugepages-*kB"))
    sizes = {int(place.name.removeprefix("hugepages-").removesuffix("kB")) * 1024: place for place in places}
    return {size: int((place / "nr_hugepages").read_text()) for size, place in sorted(sizes.items())}
