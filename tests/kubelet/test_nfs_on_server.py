"""Directories of a real NFS server, the kernel's own, in real containers. `make second-kernel` has one."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.nfs_server import ADDRESS, NfsServer, serve_nfs, skip_without_nfs
from kubelet.harness import FakeNode, pod
from kubelet.storing import FakeStorageObjects, claimed
from kubelet.test_on_containerd import log_of, machine, run, shell, until_logged  # noqa: F401 - `machine` is a fixture
from kubelet.test_volumes_on_containerd import mounts, with_storage
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient

pytestmark = pytest.mark.node
SLEEP = "exec /bin/busybox sleep 1000"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NfsServer]:
    skip_without_nfs()
    with serve_nfs(tmp_path_factory.mktemp("export")) as running:
        yield running


def inline(*, read_only: bool = False, path: str = "/") -> dict[str, Any]:
    return {"name": "v", "nfs": {"server": ADDRESS, "path": path, "readOnly": read_only}}


async def ended(node: FakeNode, name: str) -> str:
    """How a pod ended; it is gone then."""
    await node.until(lambda: node.pods[name].status.phase in ("Succeeded", "Failed"), 60)
    phase = node.pods[name].status.phase
    node.delete_pod(name, 0)
    await node.until(lambda: name not in node.pods, 60)
    return phase


def test_what_a_pod_writes_is_on_the_server_and_other_pods_read_it(
    server: NfsServer, machine: ContainerdConfig, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    (server.directory / "below").mkdir()

    async def story(node: FakeNode, cri: CriClient) -> None:
        drivers = with_storage(node, FakeStorageObjects())
        write = shell("echo written > /v/f && grep ' /v nfs4 rw,' /proc/mounts", volumeMounts=mounts("v"))
        node.add(pod("w", volumes=[inline(path="/below")], restartPolicy="Never", containers=[write]))
        assert await ended(node, "w") == "Succeeded"
        assert (server.directory / "below" / "f").read_text() == "written\n"
        read = shell("cat /v/below/f; echo more > /v/below/f", volumeMounts=mounts("v"))
        node.add(pod("r", volumes=[inline(read_only=True)], restartPolicy="Never", containers=[read]))
        await until_logged(node, "Read-only file system", "r")
        assert (await log_of(node, "r")).startswith("written\n")
        assert await ended(node, "r") == "Failed"
        assert (server.directory / "below" / "f").read_text() == "written\n"
        await drivers.close()

    run(machine, tmp_path, story)


def test_a_claim_of_a_servers_directory_with_the_options_of_its_volume(
    server: NfsServer, machine: ContainerdConfig, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    api = FakeStorageObjects()
    api.bind(nfs={"server": ADDRESS, "path": "/"}, mountOptions=["nfsvers=4.1", "soft", "timeo=77"])

    async def story(node: FakeNode, cri: CriClient) -> None:
        drivers = with_storage(node, api)
        script = "echo claimed > /v/f; grep ' /v ' /proc/mounts"
        one = shell(script, volumeMounts=mounts("v"))
        node.add(pod("c", volumes=[claimed()], restartPolicy="Never", containers=[one]))
        await until_logged(node, " nfs4 ", "c")
        told = (await log_of(node, "c")).split()[3].split(",")
        assert {"rw", "vers=4.1", "soft", "timeo=77"} <= set(told)
        assert await ended(node, "c") == "Succeeded"
        assert (server.directory / "f").read_text() == "claimed\n"
        await drivers.close()

    run(machine, tmp_path, story)


def test_a_server_that_is_gone_keeps_its_own_pods_alone(
    server: NfsServer, machine: ContainerdConfig, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    """Pods without it come and go; one that wants it is told why it waits, and runs once the server is back."""
    api = FakeStorageObjects()
    api.bind(nfs={"server": ADDRESS, "path": "/"}, mountOptions=["retry=0"])

    def sleeper(name: str, *volumes: dict[str, Any]) -> dict[str, Any]:
        one = shell(SLEEP, volumeMounts=mounts(*(volume["name"] for volume in volumes)))
        return pod(name, volumes=[*volumes], containers=[one], terminationGracePeriodSeconds=0)

    def waits(node: FakeNode) -> bool:
        told = [message for _, reason, message in node.told.events if reason == "FailedMount"]
        return any(
            re.search(r"mount failed: exit status 32(.|\n)*Connection refused|did not end in time", text)
            for text in told
        )

    async def story(node: FakeNode, cri: CriClient) -> None:
        drivers = with_storage(node, api, patience=10)
        node.add(sleeper("old", inline()))
        await node.until(lambda: node.pods["old"].status.phase == "Running", 60)
        server.stop()
        node.delete_pod("old", 0)
        node.add(sleeper("new", claimed()))
        node.add(sleeper("other"))
        await node.until(lambda: node.pods["other"].status.phase == "Running", 60)
        node.delete_pod("other", 0)
        await node.until(lambda: "other" not in node.pods, 60)
        await node.until(lambda: waits(node), 60)
        assert node.pods["new"].status.phase == "Pending"
        server.start()
        await node.until(lambda: node.pods["new"].status.phase == "Running", 300)
        await node.until(lambda: "old" not in node.pods, 300)
        node.delete_pod("new", 0)
        await node.until(lambda: not node.pods, 60)
        await drivers.close()

    run(machine, tmp_path, story)
