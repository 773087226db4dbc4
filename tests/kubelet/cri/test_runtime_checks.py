"""What a runtime must do for a kubelet, asked of the one we ship: checks like those of critest, each by its subject.

critest itself (cri-tools, pkg/validate) has these, in its words: runtime info, basic operations on sandboxes and
containers, idempotence, log and its reopening, volumes, mount propagation, networking, security context, streaming
addresses, images, several containers. Left out: what needs a registry, SELinux, AppArmor or NRI.
"""

import asyncio
import itertools
import os
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fakes.slowness import PatientClock
from kubelet.test_on_containerd import CGROUP, machine  # noqa: F401 - a fixture
from pilothouse.api.machinery.view import JsonObject
from pilothouse.cluster.addresses import free_port
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import Container, ContainerState, CriError, CriNotFound
from pilothouse.linux.mounts import Mounts

pytestmark = pytest.mark.node
CLOCK = PatientClock()
IMAGE = "box:1"
SLEEP = "exec busybox sleep 1000"
POD, CONTAINER, NODE, TARGET = 0, 1, 2, 3
"""NamespaceMode of the CRI."""
NUMBERS = itertools.count()


class Runtime:
    """What the checks do with a runtime."""

    def __init__(self, cri: CriClient, place: Path) -> None:
        self.cri = cri
        self.place = place
        self.configs: dict[str, JsonObject] = {}

    @asynccontextmanager
    async def sandbox(
        self, security: JsonObject | None = None, *, handler: str = "", **more: Any
    ) -> AsyncIterator[str]:
        """A sandbox, removed in the end with all that is in it."""
        name = f"box{next(NUMBERS)}"
        logs = self.place / name
        await asyncio.to_thread(logs.mkdir, parents=True)
        linux = {"cgroup_parent": f"{CGROUP}/{name}", "security_context": security or {}, **more.pop("linux", {})}
        config = {
            "metadata": {"name": name, "namespace": "checks", "uid": name, "attempt": 1}, "hostname": name,
            "log_directory": str(logs), "labels": {"of": name}, "annotations": {"note": "kept"}, "linux": linux, **more,
        }  # fmt: skip
        made = await self.cri.run_sandbox(config, handler)
        self.configs[made] = config
        try:
            yield made
        finally:
            await self.cri.stop_sandbox(made)
            await self.cri.remove_sandbox(made)

    async def create(self, sandbox: str, script: str, security: JsonObject | None = None, **more: Any) -> str:
        """A container of a shell's script, not started."""
        name = more.pop("name", "c")
        config = {
            "metadata": {"name": name, "attempt": 1}, "image": {"image": IMAGE}, "log_path": f"{name}.log",
            "command": ["/bin/busybox", "sh", "-c", script], "labels": {"of": name},
            "linux": {"security_context": security or {}, "resources": more.pop("resources", {})}, **more,
        }  # fmt: skip
        return await self.cri.create_container(sandbox, config, self.configs[sandbox])

    async def start(self, sandbox: str, script: str = SLEEP, security: JsonObject | None = None, **more: Any) -> str:
        """A container that runs."""
        made = await self.create(sandbox, script, security, **more)
        await self.cri.start_container(made)
        return made

    async def said(self, sandbox: str, script: str, security: JsonObject | None = None, **more: Any) -> str:
        """What a script prints, run to its end in a container of its own."""
        made = await self.start(sandbox, script, security, **more)
        ended = await self.ended(made)
        text = await asyncio.to_thread(Path(ended.log_path).read_text)
        assert ended.exit_code == 0, text
        return "".join(line.split(" ", 3)[3] + "\n" for line in text.splitlines())

    async def ended(self, container: str) -> Container:
        """A container, once it has ended."""
        async with CLOCK.timeout(20):
            while (found := await self.cri.container_status(container)).state is not ContainerState.EXITED:
                await CLOCK.sleep(0.02)
        return found

    async def run(self, container: str, *command: str) -> str:
        """What a command prints in a container."""
        done = await self.cri.exec_sync(container, ["/bin/busybox", *command], 10)
        assert done.exit_code == 0, done
        return done.stdout.decode()


def fetched(url: str) -> str:
    """What a web server answers; nothing while it does not."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def until(reached: Callable[[], bool]) -> None:
    """Wait for what a container writes."""
    end = CLOCK.monotonic() + 20
    while not reached():
        assert CLOCK.monotonic() < end
        time.sleep(0.02)  # noqa: TID251 - in a thread


Check = Callable[[Runtime], Coroutine[Any, Any, None]]


def check(machine: ContainerdConfig, tmp_path: Path, story: Check) -> None:  # noqa: F811
    async def main() -> None:
        async with CriClient(str(machine.socket), CLOCK) as cri:
            await story(Runtime(cri, tmp_path))
            assert await cri.sandboxes() == []

    asyncio.run(main())


def test_version_and_status(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        version = await runtime.cri.version()
        assert (version.name, version.api_version) == ("containerd", "v1")
        assert version.version
        status = await runtime.cri.status()
        assert {one.type for one in status.conditions} >= {"RuntimeReady", "NetworkReady"}

    check(machine, tmp_path, story)


def test_a_sandbox_is_run_listed_stopped_and_removed(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        cri = runtime.cri
        async with runtime.sandbox() as made, runtime.sandbox() as other:
            listed = {one.id: one for one in await cri.sandboxes()}
            assert {made, other} == listed.keys()
            assert listed[made].ready
            status = await cri.sandbox_status(made)
            assert (status.annotations["note"], len(status.ips)) == ("kept", 1)
            await cri.stop_sandbox(made)
            assert not (await cri.sandbox_status(made)).ready
            await cri.stop_sandbox(made)
            await cri.remove_sandbox(made)
            with pytest.raises(CriNotFound):
                await cri.sandbox_status(made)
            assert [one.id for one in await cri.sandboxes()] == [other]
            await cri.remove_sandbox(made)

    check(machine, tmp_path, story)


def test_a_container_is_created_started_stopped_and_removed(
    machine: ContainerdConfig, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(runtime: Runtime) -> None:
        cri = runtime.cri
        async with runtime.sandbox() as box:
            made = await runtime.create(box, SLEEP)
            assert (await cri.container_status(made)).state is ContainerState.CREATED
            await cri.start_container(made)
            (listed,) = await cri.containers()
            assert (listed.id, listed.state) == (made, ContainerState.RUNNING)
            with pytest.raises(CriError):
                await cri.start_container(made)
            for _ in range(2):
                await cri.stop_container(made, 0)
                status = await cri.container_status(made)
                assert (status.state, status.exit_code) == (ContainerState.EXITED, 137)
            for _ in range(2):
                await cri.remove_container(made)
            with pytest.raises(CriNotFound):
                await cri.container_status(made)

    check(machine, tmp_path, story)


def test_a_container_has_its_time_to_end(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        async with runtime.sandbox() as box:
            polite = await runtime.start(box, "trap 'exit 7' TERM; echo ready; while :; do busybox sleep 0.05; done")
            log = Path((await runtime.cri.container_status(polite)).log_path)
            await asyncio.to_thread(until, lambda: "ready" in log.read_text())
            await runtime.cri.stop_container(polite, 20)
            assert (await runtime.cri.container_status(polite)).exit_code == 7

    check(machine, tmp_path, story)


def test_commands_are_run_to_their_end_or_their_time(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        async with runtime.sandbox() as box:
            made = await runtime.start(box)
            done = await runtime.cri.exec_sync(made, ["/bin/busybox", "sh", "-c", "echo o; echo e >&2; exit 3"], 10)
            assert (done.exit_code, done.stdout, done.stderr) == (3, b"o\n", b"e\n")
            with pytest.raises(CriError):
                await runtime.cri.exec_sync(made, ["/bin/busybox", "sleep", "30"], 1)

    check(machine, tmp_path, story)


def test_logs_are_written_and_begun_anew(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    def put_aside(log: Path) -> None:
        until(lambda: log.exists() and "\n" in log.read_text())
        stamp, stream, tag, _ = log.read_text().splitlines()[0].split(" ", 3)
        assert (stamp[10], stream, tag) == ("T", "stdout", "F")
        log.rename(log.with_suffix(".aside"))

    async def story(runtime: Runtime) -> None:
        async with runtime.sandbox() as box:
            made = await runtime.start(box, "i=0; while :; do echo $i; i=$((i+1)); busybox sleep 0.02; done")
            log = Path((await runtime.cri.container_status(made)).log_path)
            await asyncio.to_thread(put_aside, log)
            await runtime.cri.reopen_log(made)
            await asyncio.to_thread(until, lambda: log.exists() and bool(log.read_text()))

    check(machine, tmp_path, story)


def test_volumes_are_shown(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "file").write_text("within")
    (tmp_path / "link").symlink_to(shared)

    async def story(runtime: Runtime) -> None:
        mounts = [
            {"container_path": "/a", "host_path": str(shared)},
            {"container_path": "/b", "host_path": str(tmp_path / "link"), "readonly": True},
        ]
        script = "busybox cat /a/file /b/file; echo x > /a/written; echo y > /b/written || busybox true"
        async with runtime.sandbox() as box:
            assert (await runtime.said(box, script, mounts=mounts)).count("within") == 2

    check(machine, tmp_path, story)
    assert (shared / "written").read_text() == "x\n"


@pytest.mark.parametrize(("propagation", "seen"), [(0, False), (1, True)], ids=["private", "host to container"])
def test_mounts_propagate(
    machine: ContainerdConfig, tmp_path: Path, propagation: int, seen: bool  # noqa: F811
) -> None:  # fmt: skip
    mounts, place = Mounts(), tmp_path / "place"

    async def story(runtime: Runtime) -> None:
        mount = {"container_path": "/place", "host_path": str(place), "propagation": propagation}
        async with runtime.sandbox() as box:
            made = await runtime.start(box, mounts=[mount])
            mounts.tmpfs(place / "inner")
            (place / "inner/later").touch()
            assert ("later" in await runtime.run(made, "ls", "/place/inner")) is seen

    place.mkdir()
    mounts.share(place)
    (place / "inner").mkdir()
    try:
        check(machine, tmp_path, story)
    finally:
        for point in mounts.below(place):
            mounts.unmount(point)


def test_names_and_ports_of_the_network(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        dns = {"servers": ["10.1.2.3"], "searches": ["shop.example"], "options": ["ndots:3"]}
        port = free_port(18080)
        ports = [{"protocol": 0, "container_port": 8080, "host_port": port}]
        async with runtime.sandbox(dns_config=dns, port_mappings=ports) as box:
            told = await runtime.said(box, "busybox cat /etc/resolv.conf; busybox hostname", name="names")
            assert "nameserver 10.1.2.3\n" in told
            assert "search shop.example\n" in told
            assert "options ndots:3\n" in told
            assert told.splitlines()[-1] == runtime.configs[box]["hostname"]
            await runtime.start(box, "echo answer > /index.html; exec busybox httpd -f -p 8080 -h /", name="web")
            (address,) = (await runtime.cri.sandbox_status(box)).ips
            async with CLOCK.timeout(20):
                while await asyncio.to_thread(fetched, f"http://{address}:8080/index.html") != "answer\n":
                    await CLOCK.sleep(0.05)

    check(machine, tmp_path, story)


@pytest.mark.parametrize(("pid", "seen"), [(CONTAINER, False), (NODE, True)], ids=["own", "of the host"])
def test_processes_are_seen_as_far_as_the_namespace_goes(
    machine: ContainerdConfig, tmp_path: Path, pid: int, seen: bool  # noqa: F811
) -> None:  # fmt: skip
    async def story(runtime: Runtime) -> None:
        security = {"namespace_options": {"pid": pid}}
        async with runtime.sandbox(security) as box:
            told = await runtime.said(box, "busybox ps -o pid,comm", security)
            assert (str(os.getpid()) in [line.split()[0] for line in told.splitlines()]) is seen

    check(machine, tmp_path, story)


def test_processes_are_shared_in_a_pod_that_wants_it(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        security = {"namespace_options": {"pid": POD}}
        async with runtime.sandbox(security) as box:
            await runtime.start(box, "exec busybox sleep 4321", security, name="one")
            assert "sleep 4321" in await runtime.said(box, "busybox ps", security, name="two")

    check(machine, tmp_path, story)


def test_the_hosts_network_is_seen_by_whom_it_is_given(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    links = {index_and_name[1] for index_and_name in socket.if_nameindex()}

    async def story(runtime: Runtime) -> None:
        host = {"namespace_options": {"network": NODE}}
        for security, name, wanted in ((host, {"hostname": ""}, True), ({}, {}, False)):
            async with runtime.sandbox(security, **name) as box:
                told = await runtime.said(box, "busybox cat /proc/net/dev", security)
                assert all(f"{name}:" in told for name in links) is wanted

    check(machine, tmp_path, story)


@pytest.mark.parametrize(
    ("security", "script", "wanted"),
    [
        ({"run_as_user": {"value": 1001}}, "busybox id -u", "1001\n"),
        ({"run_as_user": {"value": 1001}, "run_as_group": {"value": 1002}}, "busybox id -g", "1002\n"),
        ({"supplemental_groups": [1234, 5678]}, "busybox id -G", " 1234 5678\n"),
        ({"readonly_rootfs": True}, "echo x > /x || echo refused", "refused\n"),
        ({}, "echo x > /x && echo written", "written\n"),
        ({"privileged": True}, "busybox mount -t tmpfs t /bin/.. && echo mounted", "mounted\n"),
        ({}, "busybox mount -t tmpfs t /proc || echo refused", "refused\n"),
        ({"capabilities": {"drop_capabilities": ["ALL"]}},
         "busybox grep CapEff /proc/self/status", "CapEff:\t0000000000000000\n"),
        ({"capabilities": {"drop_capabilities": ["ALL"], "add_capabilities": ["NET_ADMIN"]}},
         "busybox grep CapEff /proc/self/status", "CapEff:\t0000000000001000\n"),
        ({"no_new_privs": True}, "busybox grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n"),
        ({"seccomp": {"profile_type": 0}}, "busybox grep Seccomp: /proc/self/status", "Seccomp:\t2\n"),
        ({"seccomp": {"profile_type": 1}}, "busybox grep Seccomp: /proc/self/status", "Seccomp:\t0\n"),
        ({"masked_paths": ["/bin/busybox.1"], "readonly_paths": ["/proc/sys"]},
         "echo 1 > /proc/sys/kernel/domainname || echo refused", "refused\n"),
    ],
)  # fmt: skip
def test_security(
    machine: ContainerdConfig, tmp_path: Path, security: JsonObject, script: str, wanted: str  # noqa: F811
) -> None:  # fmt: skip
    async def story(runtime: Runtime) -> None:
        sandbox = {"privileged": True} if security.get("privileged") else {}
        async with runtime.sandbox(sandbox) as box:
            assert wanted in await runtime.said(box, script, security)

    check(machine, tmp_path, story)


def test_sysctls_are_set(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        async with runtime.sandbox(linux={"sysctls": {"kernel.shm_rmid_forced": "1"}}) as box:
            assert await runtime.said(box, "busybox cat /proc/sys/kernel/shm_rmid_forced") == "1\n"

    check(machine, tmp_path, story)


def test_streams_have_addresses(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        async with runtime.sandbox() as box:
            made = await runtime.start(box)
            streams = {"stdin": True, "stdout": True, "stderr": True, "tty": False}
            found = [
                await runtime.cri.exec_url(made, ["/bin/busybox", "sh"], **streams),
                await runtime.cri.attach_url(made, **streams),
                await runtime.cri.port_forward_url(box, [80]),
            ]
            assert all(each.startswith("http://127.0.0.1:") for each in found)
            with pytest.raises(CriError):
                await runtime.cri.exec_url("none", ["x"], **streams)

    check(machine, tmp_path, story)


def test_images_are_listed_told_of_and_removed(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    async def story(runtime: Runtime) -> None:
        names = [name for image in await runtime.cri.images() for name in image.tags]
        assert "docker.io/library/box:1" in names
        found = await runtime.cri.image_status(IMAGE)
        assert found is not None
        assert found.size > 0
        assert await runtime.cri.image_status("none:1") is None
        await runtime.cri.remove_image("none:1")
        assert (await runtime.cri.image_filesystems()).images

    check(machine, tmp_path, story)


def test_containers_of_a_sandbox_share_its_network_and_have_files_and_logs_of_their_own(
    machine: ContainerdConfig, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(runtime: Runtime) -> None:
        async with runtime.sandbox() as box:
            await runtime.start(box, "echo one > /one; exec busybox nc -ll -p 99 -e busybox cat /one", name="one")
            script = "until busybox nc 127.0.0.1 99 </dev/null; do busybox sleep 0.1; done; busybox ls /one || echo own"
            said = await runtime.said(box, script, name="two")
            assert "one\n" in said
            assert "own\n" in said

    check(machine, tmp_path, story)
