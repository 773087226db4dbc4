"""Pods on a containerd of the test's own, with a bridge, a cgroup and a socket that nobody else uses."""

import asyncio
import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.slowness import SLOWNESS, PatientClock
from kubelet.harness import FakeNode, pod
from kubelet.resizing import conditions, resize, resources, settled, status_of
from pilothouse.kubelet.containerd import Containerd, ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.features import CgroupDriver
from pilothouse.kubelet.cri.interface import CriNotFound
from pilothouse.kubelet.http_fetch import HttpFetch
from pilothouse.kubelet.log_file import read_log
from pilothouse.kubelet.log_policy import LogPolicy
from pilothouse.kubelet.log_rotate import LogRotator
from pilothouse.kubelet.logs import Selection, parse_line
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.pause_image import image_archive
from pilothouse.kubelet.probes.prober import Probes
from pilothouse.kubelet.resources.linux import shares
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.kubelet.resources.swap import SwapFacts
from pilothouse.kubelet.runtime_config import NodeFacts
from pilothouse.linux import processes
from pilothouse.linux.cgroups import Cgroups, weight
from pilothouse.linux.inotify import Inotify
from pilothouse.linux.mounts import Mounts
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.tasks import Tasks

pytestmark = pytest.mark.node
BRIDGE = "phk-test0"
CGROUP = "/phk-test"
NETWORK = {
    "cniVersion": "0.4.0", "name": "phk-test",
    "plugins": [{"type": "bridge", "bridge": BRIDGE, "isGateway": True,
                 "ipam": {"type": "host-local", "subnet": "10.213.77.0/24"}}],
}  # fmt: skip
Story = Callable[[FakeNode, CriClient], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerdConfig]:
    """A containerd with an image `box:1` that holds busybox; gone without a trace afterwards."""
    if os.geteuid() != 0 or shutil.which("containerd") is None:
        pytest.skip("needs root and containerd")
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("needs busybox-static")
    home = tmp_path_factory.mktemp("node")
    config = ContainerdConfig(home / "root", home / "state", home / "cni", home / "registry")
    network = {**NETWORK, "plugins": [{**NETWORK["plugins"][0]}]}  # type: ignore[dict-item]
    network["plugins"][0]["ipam"]["dataDir"] = str(home / "ipam")  # type: ignore[index]
    config.cni_config.mkdir()
    (config.cni_config / "10-test.conflist").write_text(json.dumps(network))
    archive = home / "box.tar"
    archive.write_bytes(image_archive([("bin/busybox", Path(busybox).read_bytes(), 0o755)], ["/bin/busybox"],
                                      "docker.io/library/box:1"))  # fmt: skip
    instance = Containerd(config, PatientClock())

    async def start() -> None:
        await instance.start()
        await instance.import_image(archive)

    asyncio.run(start())
    yield config
    asyncio.run(instance.stop())
    assert str(home) not in subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["ip", "link", "delete", BRIDGE], check=False, capture_output=True)
    Cgroups.detect().remove(CGROUP)
    mounts = Mounts()
    for point in mounts.below(home):
        mounts.unmount(point)
    mounts.remove_tree(home)


def run(config: ContainerdConfig, tmp_path: Path, story: Story) -> None:
    """Tell a story of one node in real time, and have its pods gone afterwards."""

    async def main() -> None:
        clock = PatientClock()
        async with CriClient(str(config.socket), clock) as cri, Tasks() as tasks:
            cgroups = KernelPodCgroups(Cgroups.detect(), CGROUP)
            node = FakeNode(tmp_path, clock, tasks, cri=cri, mounter=Mounts(), cgroups=cgroups)
            try:
                await story(node, cri)
            finally:
                for name in list(node.pods):
                    node.delete_pod(name, 0)
                await node.until(lambda: not node.pods, 30)
            assert await cri.sandboxes() == []
            assert Mounts().below(tmp_path) == []
            assert Cgroups.detect().children(f"{CGROUP}/kubepods/besteffort") == []

    asyncio.run(main())


def shell(script: str, name: str = "app", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "box:1", "command": ["/bin/busybox", "sh", "-c", script], **more}


async def log_of(node: FakeNode, name: str = "web", container: str = "app") -> str:
    path = node.layout.log(node.pods[name], container, 0)
    lines = [parse_line(line) for line in path.read_bytes().splitlines(keepends=True)]
    return b"".join(line.text for line in lines if line).decode()


async def until_logged(node: FakeNode, text: str, name: str = "web") -> None:
    """Wait for some text in a log, which is written a little after it is said."""
    path = node.layout.log(node.pods[name], "app", 0)
    async with node.clock.timeout(40):
        while not path.exists() or text not in await log_of(node, name):
            await node.clock.sleep(0.05)


def test_a_pod_runs_and_its_output_is_logged(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(pod(containers=[shell("echo hello from $0; busybox cat /etc/hosts; exec /bin/busybox sleep 1000")]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        assert node.pods["web"].status.podIP.startswith("10.213.77.")
        await until_logged(node, "\tweb\n")
        text = await log_of(node)
        assert text.startswith("hello from")
        (link,) = node.layout.log_links.iterdir()
        assert link.read_bytes() == node.layout.log(node.pods["web"], "app", 0).read_bytes()
        assert link.name == f"web_default_app-{node.state()['containerID'].removeprefix('containerd://')}.log"
        assert f"{node.pods['web'].status.podIP}\tweb\n" in text
        result = await cri.exec_sync(node.state()["containerID"].removeprefix("containerd://"),
                                     ["/bin/busybox", "cat", "/etc/resolv.conf"], 5)  # fmt: skip
        assert b"nameserver 10.96.0.10" in result.stdout
        assert b"search default.svc.cluster.local svc.cluster.local cluster.local" in result.stdout

    run(machine, tmp_path, story)


def test_a_container_without_capabilities_listens_on_low_ports_and_may_ping(
    machine: ContainerdConfig, tmp_path: Path
) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        listen = "busybox timeout 9 busybox nc -l -p 80 & busybox cat /proc/sys/net/ipv4/ping_group_range; "
        script = listen + "until echo to port 80 | busybox nc 127.0.0.1 80; do busybox sleep 0.1; done; wait"
        context = {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}
        user = {"runAsUser": 1000, "runAsGroup": 1000}
        node.add(pod(restartPolicy="Never", containers=[shell(script, securityContext={**context, **user})]))
        await node.until(lambda: node.pods["web"].status.phase == "Succeeded", 20)
        text = await log_of(node)
        assert "0\t2147483647\n" in text
        assert "to port 80\n" in text

    run(machine, tmp_path, story)


def test_volumes_environment_and_termination_message(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.objects.config_maps["c"] = {"data": {"a": "from the map"}}
        node.objects.secrets["s"] = {"data": {"k": "c2VjcmV0"}}
        script = 'cat /c/a /s/k /shared/x /t/token; echo " $POD $GREETING"; echo -n last words > $LAST; exit 3'
        write = shell("echo written > /shared/x", "init")
        mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("c", "s", "t")]
        shared = [{"name": "shared", "mountPath": "/shared"}]
        env = [
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "GREETING", "value": "hello $(POD)"},
            {"name": "LAST", "value": "/dev/termination-log"},
        ]
        node.add(
            pod(
                restartPolicy="Never",
                initContainers=[{**write, "volumeMounts": shared}],
                containers=[{**shell("busybox " + script, volumeMounts=[*mounts, *shared], env=env)}],
                volumes=[
                    {"name": "c", "configMap": {"name": "c"}},
                    {"name": "s", "secret": {"secretName": "s"}},
                    {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
                    {"name": "shared", "emptyDir": {}},
                ],
            )
        )
        await node.until(lambda: node.pods["web"].status.phase == "Failed", 20)
        assert await log_of(node) == "from the mapsecretwritten\ntoken-1 web hello web\n"
        ended = node.state()["state"]["terminated"]
        assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "last words")

    run(machine, tmp_path, story)


def test_limits_reach_the_kernel(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        resources = {"requests": {"cpu": "100m", "memory": "16Mi"}, "limits": {"cpu": "500m", "memory": "32Mi"}}
        node.add(pod(containers=[shell("exec /bin/busybox sleep 1000", resources=resources)]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        group = f"{CGROUP}/kubepods/burstable/poduid-web"
        assert len(Cgroups.detect().processes(group)) == 2
        assert files(group) == [102, 50_000, 32 << 20]

    run(machine, tmp_path, story)


def test_out_of_memory_is_told(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        hungry = shell("/bin/busybox tail -c 200m /dev/zero", resources={"limits": {"memory": "16Mi"}})
        node.add(pod(restartPolicy="Never", containers=[hungry]))
        await node.until(lambda: node.pods["web"].status.phase == "Failed", 20)
        assert node.state()["state"]["terminated"]["reason"] == "OOMKilled"

    run(machine, tmp_path, story)


def test_limits_change_while_a_container_runs(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        limits = {"limits": {"cpu": "500m", "memory": "128Mi"}}
        node.add(pod(containers=[shell("exec /bin/busybox sleep 1000", resources=limits)]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        made = node.state()["containerID"].removeprefix("containerd://")
        before = (await cri.container_status(made)).resources
        assert before is not None
        assert (before.cpu_quota, before.memory_limit_in_bytes) == (50_000, 128 << 20)
        less = {"cpu_quota": 30_000, "cpu_period": 100_000, "memory_limit_in_bytes": 64 << 20}
        await cri.update_resources(made, less)
        after = (await cri.container_status(made)).resources
        assert after is not None
        assert (after.cpu_quota, after.memory_limit_in_bytes) == (30_000, 64 << 20)
        assert after.oom_score_adj == before.oom_score_adj
        with pytest.raises(CriNotFound):
            await cri.update_resources("gone", less)

    run(machine, tmp_path, story)


def test_a_running_pod_is_resized(machine: ContainerdConfig, tmp_path: Path) -> None:
    """The kernel's files of the container and of its pod, through every amount of the conformance tests."""
    small = resources(cpu(20), "35Mi", cpu(30), "45Mi")
    large = resources(cpu(25), "40Mi", cpu(35), "50Mi")

    async def story(node: FakeNode, cri: CriClient) -> None:
        node.facts = counting_swap(node)
        app, other = (shell("exec /bin/busybox sleep 1000", name, resources=small) for name in ("app", "other"))
        policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
        node.add(pod(containers=[app, {**other, "resizePolicy": policy}], terminationGracePeriodSeconds=0))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        assert kernel(node) == (given(20, 30, 45), given(40, 60, 90))
        ids = {name: node.state(container=name)["containerID"] for name in ("app", "other")}
        for wanted, own, whole in (
            (large, given(25, 35, 50), given(50, 70, 100)), (small, given(20, 30, 45), given(40, 60, 90)),
        ):  # fmt: skip
            resize(node, app=wanted, other=wanted)
            await settled(node, seconds=30)
            assert kernel(node) == (own, whole)
            for name in ("app", "other"):
                assert status_of(node, name) == {"resources": wanted, "allocatedResources": wanted["requests"]}
        assert node.state()["containerID"] == ids["app"]
        assert node.state()["restartCount"] == 0
        assert node.state(container="other")["containerID"] != ids["other"]
        assert node.state(container="other")["restartCount"] == 2

    def kernel(node: FakeNode) -> tuple[list[int], list[int]]:
        """CPU shares, CPU quota and memory limit of the container `app` and of the pod."""
        group = f"{CGROUP}/kubepods/burstable/poduid-web"
        own = f"{group}/{node.state()['containerID'].removeprefix('containerd://')}"
        return files(own), files(group)

    run(machine, tmp_path, story)


def counting_swap(node: FakeNode) -> NodeFacts:
    """As on a node: with version 1, a limit of memory and swap together stands above that of memory."""
    cgroups = Cgroups.detect()
    swap = SwapFacts(counted=cgroups.counts_swap(), v2=cgroups.v2)
    return NodeFacts.of(Machine.read(), node.layout, "cluster.local", cgroup_v2=cgroups.v2, swap=swap)


def cpu(milli: int) -> str:
    """So much CPU that the work is done in the same time on a slower machine: containers start within their limits."""
    return f"{round(milli * SLOWNESS)}m"


def given(request: int, limit: int, memory: int) -> list[int]:
    """The kernel's numbers of such thousandths of a processor, and MiB."""
    return [shares(round(request * SLOWNESS)), round(limit * SLOWNESS) * 100, memory << 20]


class Weight(int):
    """Version 2's weight, which equals the CPU shares that it was made of: by our curve, or by runc's older line."""

    __hash__ = int.__hash__

    def __eq__(self, shares: object) -> bool:
        return isinstance(shares, int) and int(self) in (weight(shares), 1 + (shares - 2) * 9999 // 262_142)


def files(group: str) -> list[int]:
    """CPU shares, CPU quota and memory limit of a group; -1 is none."""
    if Cgroups.detect().v2:
        quota = place(group, "cpu.max").read_text().split()[0]
        return [Weight(number(group, "cpu.weight")), -1 if quota == "max" else int(quota), number(group, "memory.max")]
    return [number(group, name) for name in ("cpu.shares", "cpu.cfs_quota_us", "memory.limit_in_bytes")]


def number(group: str, name: str) -> int:
    """What a file of a group says; -1: no limit, which version 1 writes as a very large number of whole pages."""
    text = place(group, name).read_text().strip()
    found = -1 if text == "max" else int(text)
    return -1 if found >= (1 << 63) - (1 << 20) else found


def place(group: str, name: str) -> Path:
    """A file of a group, in the hierarchy of its controller."""
    directory = Cgroups.detect().place(name.partition(".")[0], group)
    assert directory is not None
    return directory / name


def test_limits_are_added_to_what_runs_and_kept_above_what_is_used(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.facts, v2 = counting_swap(node), Cgroups.detect().v2
        hold = "x=$(/bin/busybox head -c 20000000 /dev/zero | /bin/busybox tr '\\0' x); /bin/busybox sleep 1000"
        node.add(pod(containers=[shell(hold, resources=resources(memory="30Mi"))], terminationGracePeriodSeconds=0))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        group = f"{CGROUP}/kubepods/burstable/poduid-web"
        assert files(group)[1:] == [-1, -1]
        resize(node, app=resources(cpu(10), "30Mi", cpu(100), "100Mi"))
        await settled(node, seconds=30)
        assert files(group) == given(10, 100, 100)
        if Cgroups.detect().counts_swap():
            own = f"{group}/{node.state()['containerID'].removeprefix('containerd://')}"
            swap, most = ("memory.swap.max", 0) if v2 else ("memory.memsw.limit_in_bytes", 100 << 20)
            assert number(own, swap) == most
        used = "memory.current" if v2 else "memory.usage_in_bytes"
        await node.until(lambda: number(group, used) > 20_000_000, 20)
        resize(node, app=resources(cpu(10), "10Mi", cpu(100), "10Mi"))
        await node.until(lambda: conditions(node).get("PodResizeInProgress", ("",))[0] == "Error", 20)
        message = conditions(node)["PodResizeInProgress"][1]
        assert re.fullmatch(
            r"cannot decrease memory limits: \[attempting to set pod memory limit \(10485760\) below current usage "
            r'\(\d+\), attempting to set container "app" memory limit \(10485760\) below current usage \(\d+\)\]',
            message,
        )
        assert files(group) == given(10, 100, 100)
        assert status_of(node)["resources"] == resources(cpu(10), "30Mi", cpu(100), "100Mi")
        resize(node, app=resources(cpu(10), "30Mi", cpu(50), "80Mi"))
        await settled(node, seconds=30)
        assert files(group) == given(10, 50, 80)
        assert node.state()["restartCount"] == 0

    run(machine, tmp_path, story)


def test_what_the_runtime_tells_of_itself_and_of_its_containers(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(pod(containers=[shell("echo 123 > /written; exec /bin/busybox sleep 1000")]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        assert (await cri.version()).name == "containerd"
        assert not (await cri.status()).handler("runc").user_namespaces
        assert await cri.runtime_config() in (None, CgroupDriver.CGROUPFS)
        (box,) = await cri.sandboxes()
        (use,) = await cri.container_stats("uid-web")
        assert (use.name, use.labels["io.kubernetes.pod.uid"]) == ("app", "uid-web")
        told = await cri.sandbox_stats(box.id)
        assert (told.uid, [one.name for one in told.interfaces]) == ("uid-web", ["eth0"])
        for cpu, memory in ((use.cpu, use.memory), (told.cpu, told.memory)):
            assert cpu is not None
            assert cpu.total_nanos
            assert memory is not None
            assert memory.working_set
            assert abs(cpu.at - node.clock.now()) < 3600
        (images,) = (await cri.image_filesystems()).images
        assert Path(images.mountpoint).is_relative_to(machine.root)
        status = await cri.container_status(use.id)
        assert "/etc/hosts" in [mount.container_path for mount in status.mounts]

    run(machine, tmp_path, story)


def test_a_command_that_does_not_exist(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(pod(containers=[{"name": "app", "image": "box:1", "command": ["/nonesuch"]}]))
        await node.until(lambda: node.state()["state"].get("waiting", {}).get("reason") == "RunContainerError", 20)
        assert "no such file or directory" in node.state()["state"]["waiting"]["message"]

    run(machine, tmp_path, story)


def test_a_container_is_asked_to_end_before_it_is_killed(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        script = "trap 'echo -n bye > /dev/termination-log; exit 0' TERM; echo set; while :; do busybox sleep 0.1; done"
        node.add(pod(containers=[shell(script)]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        await until_logged(node, "set\n")
        seen: list[str] = []
        remember = node.patch_status

        async def spy(one: Any, patch: dict[str, Any]) -> Any:
            states = [status["state"] for status in patch.get("containerStatuses", ())]
            seen.extend(state.get("terminated", {}).get("message", "") for state in states)
            return await remember(one, patch)

        node.patch_status = spy  # type: ignore[assignment, method-assign]
        node.delete_pod("web", 20)
        await node.until(lambda: "web" not in node.pods, 10)
        assert "bye" in seen

    run(machine, tmp_path, story)


def test_containers_outlive_containerd(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(pod(containers=[shell("exec /bin/busybox sleep 1000")]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        instance = Containerd(machine, PatientClock())
        old = processes.Identity.load(machine.state / "containerd.json")
        assert old is not None
        await processes.stop(old, node.clock, grace=0)
        await instance.start()
        found = processes.Identity.load(machine.state / "containerd.json")
        assert found is not None
        assert found != old
        await node.clock.sleep(2)
        assert node.state()["restartCount"] == 0
        assert [container.state.name for container in await cri.containers()] == ["RUNNING"]

    run(machine, tmp_path, story)


def test_probes_of_a_real_application(machine: ContainerdConfig, tmp_path: Path) -> None:
    """By HTTP, by TCP and by commands, one of which takes longer than it may."""

    def probed(name: str, script: str, **probes: Any) -> dict[str, Any]:
        limits = {"timeoutSeconds": 1, "periodSeconds": 1, "successThreshold": 1, "failureThreshold": 1}
        return shell(script, name, **{f"{kind}Probe": {**limits, **probe} for kind, probe in probes.items()})

    async def story(node: FakeNode, cri: CriClient) -> None:
        fetch = HttpFetch(node.clock)
        async with Tasks() as tasks:
            node.watcher = Probes(cri, node.clock, Chance(1), node.told, fetch, tasks)
            serve = "echo fine > /tmp/index.html; exec /bin/busybox httpd -f -p 8080 -h /tmp"
            ready = {"httpGet": {"path": "/index.html", "port": "web", "scheme": "HTTP"}}
            web = probed("app", f"/bin/busybox mkdir -p /tmp; {serve}", readiness=ready,
                         startup={"tcpSocket": {"port": 8080}, "failureThreshold": 30})  # fmt: skip
            slow = ["/bin/busybox", "sleep", "7"]
            stuck = probed("stuck", "exec /bin/busybox sleep 1000", liveness={"exec": {"command": slow}},
                           readiness={"exec": {"command": ["/bin/busybox", "false"]}})  # fmt: skip
            node.add(pod(containers=[{**web, "ports": [{"name": "web", "containerPort": 8080}]}, stuck],
                         terminationGracePeriodSeconds=0))  # fmt: skip
            await node.until(lambda: bool(node.state()["ready"]), 20)
            await node.until(lambda: node.state(container="stuck")["restartCount"] > 0, 20)
            assert not node.state(container="stuck")["ready"]
            assert node.state()["restartCount"] == 0
            late = 'command timed out: "/bin/busybox sleep 7" timed out after 1s'
            assert ("Warning", "Unhealthy", f"Liveness probe failed: {late}") in node.told.events
            assert ("Warning", "Unhealthy", "Readiness probe failed: ") in node.told.events
            node.delete_pod("web", 0)
            await node.until(lambda: not node.pods, 30)

    run(machine, tmp_path, story)


def test_a_debugger_sees_the_processes_of_its_target(machine: ContainerdConfig, tmp_path: Path) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.facts = NodeFacts.of(Machine.read(), node.layout, "cluster.local", cgroup_v2=Cgroups.detect().v2)
        node.add(pod(containers=[shell("exec /bin/busybox sleep 4711")], terminationGracePeriodSeconds=0))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        raw = node.pods["web"].literal()
        look = "/bin/busybox cat /proc/1/cmdline; exit 7"
        raw["spec"]["ephemeralContainers"] = [shell(look, "debug", targetContainerName="app")]
        node.add(raw)
        await node.until(lambda: "terminated" in told(node), 20)
        assert told(node)["terminated"]["exitCode"] == 7
        assert "4711" in await log_of(node, container="debug")
        assert node.state()["ready"]

    def told(node: FakeNode) -> dict[str, Any]:
        statuses = node.pods["web"].status.raw.get("ephemeralContainerStatuses", ())
        return next((dict(one["state"]) for one in statuses), {})

    run(machine, tmp_path, story)


def test_the_log_of_a_chatty_container_is_rotated_and_nothing_is_lost(
    machine: ContainerdConfig, tmp_path: Path
) -> None:
    async def story(node: FakeNode, cri: CriClient) -> None:
        pause = "[ $((n % 5000)) = 0 ] && /bin/busybox sleep 0.5"
        script = f"n=0; while [ $n -lt 40000 ]; do echo $n; n=$((n+1)); {pause}; done; exec /bin/busybox sleep 1000"
        node.add(pod(containers=[shell(script)]))
        await node.until(lambda: node.pods["web"].status.phase == "Running", 20)
        log, found = node.layout.log(node.pods["web"], "app", 0), list[bytes]()
        rotator = LogRotator(cri, node.clock, LogPolicy(max_size=200_000, max_files=100))
        with Inotify() as changes:

            async def running() -> bool:
                return b"39999" not in b"".join(found[-2:])

            async def follow() -> None:
                pieces = read_log(log, Selection(), tail=None, follow=running, changes=changes, clock=node.clock)
                async for piece in pieces:
                    found.append(piece)

            def in_the_newest() -> bool:
                # Whoever follows opens what took the place of what he read: he must not be a whole file behind.
                with log.open("rb") as file:
                    first = parse_line(file.readline())
                read = b"".join(found[-2:]).split()[:-1]
                return following.done() or (
                    first is not None and bool(read) and int(read[-1]) >= int(first.text.strip() or b"0")
                )

            async with node.clock.timeout(60), asyncio.TaskGroup() as group:
                following = group.create_task(follow())
                while not following.done():
                    await rotator.look()
                    await node.clock.sleep(1.1)  # files are named by the second
                    await node.until(in_the_newest, 30)
        numbers = [int(number) for number in b"".join(found).split()]
        assert numbers == list(range(40_000))
        names = sorted(file.name for file in log.parent.iterdir())
        assert len([name for name in names if name.endswith(".gz")]) > 1, names
        kept = [gzip.decompress(log.with_name(name).read_bytes()) if name.endswith(".gz") else
                log.with_name(name).read_bytes() for name in [*names[1:], names[0]]]  # fmt: skip
        lines = [parse_line(line) for text in kept for line in text.splitlines(keepends=True)]
        # A line may begin in one file and end in the next.
        assert [int(text) for text in b"".join(line.text for line in lines if line).split()] == numbers

    run(machine, tmp_path, story)
