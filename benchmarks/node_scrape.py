"""What it costs a node with 110 pods to tell what they use: two groups a pod, of plain files as version 2 has them.

On a real machine the kernel makes up the files' content, which about doubles the time of reading.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import orjson
from measuring.table import heading, line

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container, ContainerState, Sandbox
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.pages.cadvisor import Figures
from pilothouse.kubelet.server.pages.resource_metrics import resource_families
from pilothouse.kubelet.stats import Stats
from pilothouse.kubelet.summary import NodeFigures, summary
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.fake_cri import FakeCri

PODS, ROUNDS = 110, 10
FILES = {
    "cpu.stat": "usage_usec 123456\nuser_usec 1\nsystem_usec 2\n", "memory.current": "5000\n", "pids.current": "2\n",
    "memory.stat": "".join(f"figure_{number} {number}\n" for number in range(40)) + "inactive_file 1000\nanon 2000\n",
    "memory.swap.current": "0\n",
    **{f"{one}.pressure": "some avg10=1.50 avg60=0.20 avg300=0.03 total=4567\n" for one in ("cpu", "memory", "io")},
}  # fmt: skip


class Crowd(FakeCri):
    """As many pods as a node takes."""

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        """One a pod."""
        return [Sandbox(f"s{one}", f"web-{one}", "default", f"u{one}", 0, True, 1.0) for one in range(PODS)]

    async def containers(self, uid: str = "") -> list[Container]:
        """One a pod."""
        return [Container(f"c{one}", f"s{one}", "app", 0, ContainerState.RUNNING, 1.0) for one in range(PODS)]


def pod(number: int) -> Pod:
    """One of them."""
    meta = {"name": f"web-{number}", "namespace": "default", "uid": f"u{number}"}
    return Pod({"metadata": meta, "spec": {"containers": [{"name": "app", "image": "app:1"}]}})


def furnish(root: Path) -> None:
    """Have the groups."""
    for number in range(PODS):
        for place in ("", f"c{number}"):
            group = root / f"kubepods/besteffort/podu{number}" / place
            group.mkdir(parents=True, exist_ok=True)
            for name, text in FILES.items():
                (group / name).write_text(text)


async def measure(root: Path) -> dict[str, float]:
    """Seconds at best, by page."""
    clock, cgroups, pods = SystemClock(), Cgroups({}, root), [pod(number) for number in range(PODS)]
    figures = NodeFigures(name="n", started=1.0, memory=1 << 30, kubepods="/kubepods", kubepods_limit=1)
    best: dict[str, float] = {}

    def took(name: str, began: float) -> None:
        best[name] = min(time.perf_counter() - began, best.get(name, 9.0))

    for _ in range(ROUNDS):
        stats = Stats(
            Crowd(clock), clock, lambda: pods, Layout(root, root), KernelPodCgroups(cgroups, ""), cgroups
        )  # fmt: skip
        began = time.perf_counter()
        used, node = await stats.loads(), await stats.node()
        took("reading the groups", began)
        began = time.perf_counter()
        page(resource_families(node, used))
        took("/metrics/resource", began)
        began = time.perf_counter()
        cadvisor = Figures()
        cadvisor.add_machine(Machine(2, 1 << 30, {}, "m", "u", "b", "6.1", "Debian", "amd64"))
        cadvisor.add(node, used)
        page(cadvisor.families.values())
        took("/metrics/cadvisor", began)
        began = time.perf_counter()
        orjson.dumps(summary(node, figures, used))
        took("/stats/summary", began)
    return best


def main() -> None:
    heading("Scrape of a node with 110 pods")
    with tempfile.TemporaryDirectory() as root:
        furnish(Path(root))
        for name, seconds in asyncio.run(measure(Path(root))).items():
            line(name, seconds, "50 ms" if name == "reading the groups" else "")


if __name__ == "__main__":
    main()
