"""What a node and two pods use: the same figures for all pages."""

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container, ContainerState
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.stats import GroupUse, NodeUse, PodUse
from pilothouse.linux.cgroup_usage import Throttling, Usage
from pilothouse.linux.interface_usage import InterfaceUsage
from pilothouse.linux.pressure import Pressure, Stall

AT = 1_767_225_600.25
DISK = FilesystemUse(4096, 7, 100_000, 60_000, 1000, 900, AT)
PRESSURE = Pressure(Stall(1.5, 0.2, 0.03, 4_500_000), Stall(0.5, 0.1, 0.0, 250_000))
ETH0 = InterfaceUsage("eth0", 1000, 10, 1, 2, 2000, 20, 3, 4)


def group(
    path: str, cpu: int, memory: int, nano_cores: int | None = None, waited: Throttling | None = None, *,
    pressed: bool = False,
) -> GroupUse:  # fmt: skip
    used = Usage(cpu, memory, memory - 1024, 2048, 70, 7, 3, 0, 512)
    pressures = {"cpu": PRESSURE, "memory": Pressure(), "io": PRESSURE} if pressed else {}
    return GroupUse(path=path, at=AT, usage=used, nano_cores=nano_cores, throttling=waited, pressures=pressures)


WEB = Pod(
    {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": "app:1",
                    "resources": {"limits": {"memory": "8Mi", "cpu": "500m"}, "requests": {"cpu": "250m"}},
                },
                {"name": "side", "image": "side:1"},
            ],
            "volumes": [
                {"name": "scratch", "emptyDir": {}},
                {"name": "fast", "emptyDir": {"medium": "Memory"}},
                {"name": "token", "projected": {"sources": []}},
            ],
        },
    }
)
NODE = NodeUse(
    whole=group("/", 12_345_678_900, 1 << 30, 250_000_000),
    groups={"/kubepods": group("/kubepods", 5_000_000_000, 1 << 20)},
    interfaces=(ETH0, InterfaceUsage("eth1", 1, 1, 0, 0, 2, 2, 0, 0)),
)
USED = PodUse(
    uid="u1", name="web", namespace="shop", pod=WEB, started=AT - 60, sandbox="s1", interfaces=(ETH0,),
    whole=group("/kubepods/burstable/podu1", 3_000_000_000, 6 << 20, 1_000_000),
    groups={
        "app": group("/kubepods/burstable/podu1/c1", 1_500_000_000, 5 << 20, waited=Throttling(100, 40, 2_500_000_000)),
        "side": group("/kubepods/burstable/podu1/c2", 500_000_000, 4096, pressed=True),
    },
    runs={
        "app": Container("c1", "s1", "app", 0, ContainerState.RUNNING, AT - 30.5, "sha256:1"),
        "side": Container("c2", "s1", "side", 0, ContainerState.RUNNING, AT - 20, "side:1"),
    },
    logs={"app": DISK}, writable={"app": DISK}, volumes={"scratch": DISK, "fast": DISK, "token": DISK},
)  # fmt: skip
FRESH = PodUse(uid="u2", name="new", namespace="shop", started=AT)
