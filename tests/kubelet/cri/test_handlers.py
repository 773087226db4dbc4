"""Every low-level runtime that is installed runs containers for the containerd that we configure."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.cri.test_runtime_checks import Runtime, check
from kubelet.test_on_containerd import machine  # noqa: F401 - a fixture
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
        if subprocess.run(["mount", "-t", "cgroup", "-o", "hugetlb", "none", str(HUGETLB)], check=False).returncode:
            pytest.skip("somebody counts huge pages in the hierarchy of version 2")
        yield
        subprocess.run(["umount", str(HUGETLB)], check=True)
    finally:
        HUGETLB.rmdir()


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
