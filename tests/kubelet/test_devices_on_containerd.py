"""A real container has the device, the mount and the variables that a plugin handed out, on containerd."""

from pathlib import Path
from typing import Any

import pytest

from kubelet.devices.handing_out import GOOD, Bench
from kubelet.harness import FakeNode, pod
from kubelet.test_handout import FOO, use
from kubelet.test_on_containerd import log_of, machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.runtime.tasks import Tasks

pytestmark = pytest.mark.node


def test_a_container_has_what_its_plugin_gives_it_after_a_restart_too(
    machine: ContainerdConfig,  # noqa: F811
    tmp_path: Path,
) -> None:
    """The device is one that the kernel lets no container use to which it was not given."""
    if not Path("/dev/fuse").exists():
        pytest.skip("needs /dev/fuse")
    library = tmp_path / "library"
    library.write_text("of the plugin\n")
    look = "echo $FOO; busybox cat /lib/foo; [ -c /dev/foo ] && busybox head -c 0 /dev/foo && echo readable"

    async def story(node: FakeNode, cri: CriClient) -> None:
        async with Tasks() as tasks:
            bench = Bench(tmp_path, tasks)
            node.contributor = bench.devices
            use(node, bench.devices)
            node.own.change(allocatable={FOO: "1"})
            async with bench.plugin(a=GOOD) as plugin:
                plugin.given = {
                    "devices": [{"container_path": "/dev/foo", "host_path": "/dev/fuse", "permissions": "rw"}],
                    "mounts": [{"container_path": "/lib/foo", "host_path": str(library), "read_only": True}],
                }  # fmt: skip
                await bench.connect(plugin)
                limits: dict[str, Any] = {"resources": {"limits": {FOO: "1"}}}
                node.add(pod(containers=[shell(f"{look}; exit 3", **limits)], restartPolicy="OnFailure"))
                await node.until(lambda: node.state()["restartCount"] == 1, 20)
                await node.until(lambda: "waiting" in node.state()["state"], 20)
                assert await log_of(node) == "a\nof the plugin\nreadable\n"
                again = node.layout.log(node.pods["web"], "app", 1).read_text()
                assert [line.split(" ", 3)[3] for line in again.splitlines()] == ["a", "of the plugin", "readable"]
                without = "busybox mknod /foo c 10 229 && busybox head -c 0 /foo || echo nothing"
                node.add(pod("other", containers=[shell(without)], restartPolicy="Never"))
                await node.until(lambda: node.pods["other"].status.phase == "Succeeded", 20)
                assert (await log_of(node, "other")).splitlines()[-1] == "nothing"
                await bench.devices.plugins.close()

    run(machine, tmp_path, story)
