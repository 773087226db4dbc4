"""Every low-level runtime that is installed runs containers for the containerd that we configure."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fakes.command import eventually
from kubelet.cri.test_runtime_checks import Runtime, check
from kubelet.test_on_containerd import CGROUP, machine  # noqa: F401 - a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.linux.cgroups import Cgroups

pytestmark = pytest.mark.node
HUGETLB = Path("/sys/fs/cgroup/hugetlb")


@pytest.fixture
def hierarchies(handler: str) -> Iterator[None]:
    """crun wants every controller in a hierarchy of version 1 where there is one of them."""
    if handler != "crun" or Cgroups.detect().v2 or HUGETLB.exists():
        yield
        return
    HUGETLB.mkdir()
    try:
        Cgroups.detect().remove(CGROUP)  # another handler's, in the hierarchy of version 2
        with suppress(AssertionError):
            eventually(_mounted, patience=10)
        if not HUGETLB.is_mount():
            pytest.skip("somebody counts huge pages in the hierarchy of version 2")
        try:
            yield
            Cgroups.detect().remove(CGROUP)
            # Unmounted while groups are there, also those that the kernel is still taking away, the hierarchy lives
            # on, and a later containerd finds nothing of what its containers use.
            eventually(lambda: _groups() == 1, "the groups are gone")
        finally:
            subprocess.run(["umount", str(HUGETLB)], check=True)
    finally:
        HUGETLB.rmdir()


def _mounted() -> bool:
    command = ["mount", "-t", "cgroup", "-o", "hugetlb", "none", str(HUGETLB)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _groups() -> int:
    """How many groups count huge pages, the root one included (/proc/cgroups, cgroups(7))."""
    rows = (line.split() for line in Path("/proc/cgroups").read_text().splitlines())
    return next(int(groups) for name, _, groups, _ in rows if name == "hugetlb")


@pytest.mark.parametrize(
    ("handler", "program"), [("runc", "runc"), ("crun", "crun"), ("runsc", "containerd-shim-runsc-v1")]
)
@pytest.mark.usefixtures("hierarchies")
def test_a_pod_of_a_handler(
    machine: ContainerdConfig, tmp_path: Path, handler: str, program: str  # noqa: F811
) -> None:  # fmt: skip
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")

    async def story(runtime: Runtime) -> None:
        async with runtime.sandbox(handler=handler) as box:
            assert (await runtime.cri.sandbox_status(box)).handler == handler
            assert await runtime.said(box, "echo runs") == "runs\n"
            made = await runtime.start(box, name="stays")
            assert await runtime.run(made, "echo", "within") == "within\n"

    check(machine, tmp_path, story)
