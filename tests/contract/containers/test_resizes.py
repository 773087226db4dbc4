"""sig-node: pods whose resources are changed while they run."""

from collections.abc import Mapping, Sequence

from contract.api import STRATEGIC, Json, eventually
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX
from contract.operations import condition
from contract.pods import START_SECONDS
from contract.workloads import Workloads, container, pod

_RESIZES = ("PodResizePending", "PodResizeInProgress")
_MI = 1 << 20
_NO_LIMIT = 1 << 60
_READ = """
cd /sys/fs/cgroup
if [ -e cgroup.controllers ]; then set -- cpu.max memory.max; else set -- cpu/cpu.cfs_quota_us \
  memory/memory.limit_in_bytes cpu/cpu.shares; fi
for file in $*; do head -n 1 $file; done
"""
"""The limits of CPU and memory; the weight where it can be told from the request (not in version 2)."""


def _asks(cpu: int = 0, memory: int = 0, cpu_limit: int = 0, memory_limit: int = 0) -> Json:
    """Requests and limits of thousandths of a CPU and of mebibytes."""
    kinds = {"requests": (cpu, memory), "limits": (cpu_limit, memory_limit)}
    found = {
        kind: {**({"cpu": f"{milli}m"} if milli else {}), **({"memory": f"{size}Mi"} if size else {})}
        for kind, (milli, size) in kinds.items()
    }
    return {kind: amounts for kind, amounts in found.items() if amounts}


def _number(asked: Json, kind: str, name: str) -> int:
    """Thousandths or mebibytes; 0 where it is not asked for."""
    return int(asked.get(kind, {}).get(name, "0").removesuffix("m").removesuffix("Mi"))


def _allows(asked: Json, numbers: Sequence[str]) -> bool:
    """Whether the kernel's numbers are those of such a container."""
    quota, memory, weight = numbers[0].split()[0], numbers[1], numbers[2:]
    unlimited = memory == "max" or int(memory) > _NO_LIMIT
    milli, limit = _number(asked, "limits", "cpu"), _number(asked, "limits", "memory")
    shares = max(_number(asked, "requests", "cpu") * 1024 // 1000, 2)
    return (
        quota in ({str(max(milli * 100, 1000)), str(-(-milli // 10) * 1000)} if milli else {"-1", "max"})
        and (memory == str(limit * _MI) if limit else unlimited)
        and weight in ([], [str(shares)])
    )


class _Sized:
    """A pod of busyboxes with resources, whose resources are changed."""

    def __init__(self, workloads: Workloads, check: Checks, containers: Mapping[str, Json]) -> None:
        self._workloads = workloads
        self._check = check
        boxes = [
            container(["-c", "sleep 86400"], name=name, image=BUSYBOX, command=["/bin/sh"], resources=asked)
            for name, asked in containers.items()
        ]
        more: Json = {"restartPolicy": "OnFailure", "terminationGracePeriodSeconds": 0, "os": {"name": "linux"}}
        self.pod = workloads.serve(pod("resize-test", *boxes, **more))
        check("made", self._told(self.pod), dict(containers))
        check("made-kernel", self._wrong(containers), {})

    def _told(self, found: Json) -> dict[str, Json]:
        return {one["name"]: one.get("resources") for one in found["status"]["containerStatuses"]}

    def _wrong(self, containers: Mapping[str, Json]) -> dict[str, list[str]]:
        """The kernel's numbers of those containers of which they do not fit."""
        numbers = {
            name: self._workloads.execute("resize-test", "/bin/sh", "-c", _READ, container=name).splitlines()
            for name in containers
        }
        return {name: found for name, found in numbers.items() if not _allows(containers[name], found)}

    def patch(self, containers: Mapping[str, Json]) -> dict[str, Json]:
        """Ask for these resources through the subresource; what is asked for then."""
        body = {"spec": {"containers": [{"name": name, "resources": asked} for name, asked in containers.items()]}}
        found = self._workloads.pods.patch("resize-test", body, STRATEGIC, part="resize")
        return {one["name"]: one["resources"] for one in found["spec"]["containers"]}

    def until(self, containers: Mapping[str, Json], step: str) -> None:
        """Wait until the pod has these resources, and nothing is said of a change any more."""

        def reached(found: Json) -> bool:
            pending = condition(found, _RESIZES[0]) or {}
            assert pending.get("reason") != "Infeasible", pending
            passing = any(condition(found, kind) for kind in _RESIZES)
            ready = (condition(found, "Ready") or {}).get("status") == "True"
            return self._told(found) == dict(containers) and not passing and ready

        found = self._workloads.until("resize-test", reached, START_SECONDS)
        self._check(step, [one["restartCount"] for one in found["status"]["containerStatuses"]], [0] * len(containers))
        self._check(f"{step}-kernel", self._wrong(containers), {})


@conformance(
    "Pod InPlace Resize Container burstable pods - extended 6 containers - various operations performed "
    "(including adding limits and requests)"
)
def test_many_containers(workloads: Workloads, check: Checks) -> None:
    steps: Sequence[tuple[Json, Json]] = (
        (_asks(20), _asks(25, cpu_limit=35)),
        (_asks(memory=35), _asks(memory=30, memory_limit=50)),
        (_asks(20, 35), _asks(20, 30)),
        (_asks(20), _asks(15, 35)),
        (_asks(memory=35), _asks(20, 40)),
    )
    before, after = ({f"c{at}": step[which] for at, step in enumerate(steps, 1)} for which in (0, 1))
    sized = _Sized(workloads, check, before)
    check("asked", sized.patch(after), after)
    sized.until(after, "resized")


@conformance("Pod InPlace Resize Container burstable pods - extended resize with equivalents")
def test_equivalents(workloads: Workloads, check: Checks) -> None:
    before, after = {"c1": _asks(2, cpu_limit=10)}, {"c1": _asks(1, cpu_limit=5)}
    sized = _Sized(workloads, check, before)
    check("asked", sized.patch(after), after)
    sized.until(after, "resized")
    check("asked-back", sized.patch(before), before)
    sized.until(before, "rolled-back")


@conformance("Pod InPlace Resize Container resize pod via the replace endpoint")
def test_replacing(workloads: Workloads, check: Checks) -> None:
    before, after = {"c1": _asks(20, 35)}, {"c1": _asks(25, 40)}
    sized = _Sized(workloads, check, before)
    check("first-generation", sized.pod["metadata"]["generation"], 1)

    def edit(body: Json) -> None:
        body["spec"]["containers"][0]["resources"] = after["c1"]

    workloads.pods.change("resize-test", edit, part="resize")
    found = workloads.pods.get("resize-test")
    check("asked", found["spec"]["containers"][0]["resources"], after["c1"])
    check("second-generation", found["metadata"]["generation"], 2)
    sized.until(after, "resized")

    def same() -> bool:
        return workloads.pods.get("resize-test", part="resize") == workloads.pods.get("resize-test")

    eventually(same, START_SECONDS)
    check("read", True)
