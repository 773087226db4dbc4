"""Each call, over a real socket, to a runtime that keeps records."""

import asyncio
from dataclasses import replace
from math import inf
from pathlib import Path

import grpc
import pytest

from fakes.cri_server import CriServer
from kubelet.cri.serving import APP, container_config, running, sandbox_config, serve
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri import answers
from pilothouse.kubelet.cri.applied import LinuxResources, Mounted
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.features import CgroupDriver, Features, Handler
from pilothouse.kubelet.cri.interface import (
    ContainerState,
    CriError,
    CriNotFound,
    CriUnimplemented,
    ExecResult,
    LinuxUser,
    RuntimeCondition,
    RuntimeStatus,
    Version,
)
from pilothouse.kubelet.cri.signals import signal_number
from pilothouse.kubelet.cri.usage import (
    ContainerUse,
    CpuUse,
    FilesystemShare,
    ImageFilesystems,
    InterfaceUse,
    MemoryUse,
    SwapUse,
)
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.fake_cri import Behaviour, FakeCri

HANDLERS = (Handler("", True, False), Handler("kata", False, True), Handler("plain"))


def test_version_and_status() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        assert await cri.version() == Version("fake", "1.0.0", "v1")
        assert server.requests("Version") == [{"version": "v1"}]
        status = await cri.status()
        assert status.conditions == (RuntimeCondition("RuntimeReady", True), RuntimeCondition("NetworkReady", True))
        assert (status.features, status.strict_groups) == (Features(), False)
        fake.strict_groups = True
        assert (await cri.status()).strict_groups

    serve(story)


@pytest.mark.parametrize("features", [None, Features(), Features(True, False), Features(False, True)])
def test_features(features: Features | None) -> None:
    class Runtime(FakeCri):
        async def status(self) -> RuntimeStatus:
            return RuntimeStatus((RuntimeCondition("RuntimeReady", True),) * 2, HANDLERS, features)

    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        status = await cri.status()
        assert (status.features, status.handlers) == (features, HANDLERS)
        assert status.strict_groups is bool(features and features.supplemental_groups_policy)
        assert status.handler("kata") == HANDLERS[1]
        assert status.handler("none") == Handler("none")

    serve(story, Runtime(SystemClock()))


def test_old_runtimes_name_no_handlers() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        conditions = [{"type": "RuntimeReady", "status": True}, {"type": "NetworkReady", "status": True}]
        server.garbage("Status", {"status": {"conditions": conditions}})
        status = await cri.status()
        assert (status.features, status.handlers) == (None, ())

    serve(story)


@pytest.mark.parametrize("driver", [CgroupDriver.SYSTEMD, CgroupDriver.CGROUPFS, None])
def test_who_makes_control_groups(driver: CgroupDriver | None) -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        assert await cri.runtime_config() is driver

    serve(story, FakeCri(SystemClock(), cgroup_driver=driver))


def test_a_sandbox_from_its_start_to_its_end() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await cri.run_sandbox(sandbox_config(), "special")
        assert fake.calls == ["run_sandbox special"]
        status = await cri.sandbox_status(made)
        assert (status.name, status.namespace, status.uid, status.attempt) == ("web", "shop", "uid-web", 1)
        assert (status.ready, status.ips, status.host_network) == (True, ("10.88.0.2",), False)
        assert status.handler == "special"
        assert (status.labels, status.annotations) == ({"io.kubernetes.pod.uid": "uid-web"}, {"note": "a"})
        assert status.created_at == pytest.approx(fake.clock.now(), abs=60)
        assert await cri.sandboxes() == [replace(status, ips=())]
        await cri.stop_sandbox(made)
        assert [one.ready for one in await cri.sandboxes()] == [False]
        await cri.remove_sandbox(made)
        assert await cri.sandboxes() == []
        with pytest.raises(CriNotFound, match=r"rpc error: code = NotFound desc = an error occurred .* sandbox"):
            await cri.sandbox_status(made)

    serve(story)


def test_sandboxes_and_containers_of_one_pod() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        for uid in ("uid-a", "uid-b"):
            sandbox = await cri.run_sandbox(sandbox_config(uid, host=uid == "uid-b"))
            await cri.create_container(sandbox, container_config(uid=uid), sandbox_config(uid))
        assert [one.uid for one in await cri.sandboxes()] == ["uid-a", "uid-b"]
        (found,) = await cri.sandboxes("uid-b")
        assert (await cri.sandbox_status(found.id)).host_network
        assert [one.sandbox_id for one in await cri.containers("uid-b")] == [found.id]
        assert len(await cri.containers()) == 2

    serve(story)


def test_a_picture_is_made_of_two_listings_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        ended = await cri.create_container((await cri.sandboxes())[0].id, container_config("job"), sandbox_config())
        other = await cri.run_sandbox(sandbox_config("uid-other"))
        await cri.stop_sandbox(other)
        (box,) = await cri.sandboxes("uid-web")
        for name in ("sandbox", "container"):
            monkeypatch.setattr(answers, name, None)  # records of a full node cost more than all else at rest
        server.asked.clear()
        states = {(box.id, True), (made, ContainerState.RUNNING), (ended, ContainerState.CREATED)}
        assert await cri.picture() == {"uid-web": states, "uid-other": {(other, False)}}
        assert [name for name, _ in server.asked] == ["ListPodSandbox", "ListContainers"]

    serve(story)


def test_a_container_from_its_start_to_its_end() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        sandbox = await cri.run_sandbox(sandbox_config())
        made = await cri.create_container(sandbox, container_config(), sandbox_config())
        (listed,) = await cri.containers()
        assert (listed.id, listed.sandbox_id, listed.name, listed.attempt) == (made, sandbox, "app", 2)
        assert (listed.state, listed.image, listed.image_ref) == (ContainerState.CREATED, "app:1", "sha256:app")
        assert (listed.labels, listed.annotations) == ({"io.kubernetes.pod.uid": "uid-web"}, {"hash": "1"})
        await cri.start_container(made)
        assert (await cri.container_status(made)).state is ContainerState.RUNNING
        fake.end("app", 3)
        status = await cri.container_status(made)
        assert (status.state, status.exit_code, status.reason) == (ContainerState.EXITED, 3, "Error")
        assert status.log_path == "/logs/app/0.log"
        assert status.created_at <= status.started_at + 1e-3 <= status.finished_at + 2e-3
        assert status.user is None
        await cri.remove_container(made)
        assert await cri.containers() == []
        with pytest.raises(CriNotFound, match=r"rpc error: code = NotFound desc = an error occurred .* container"):
            await cri.container_status(made)

    serve(story)


def test_whom_a_container_runs_as() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        fake._containers[made] = replace(fake._containers[made], user=LinuxUser(1, 2, (3, 4)))
        assert (await cri.container_status(made)).user == LinuxUser(1, 2, (3, 4))

    serve(story)


def _cannot_start(_config: JsonObject) -> Behaviour:
    return Behaviour(start_error="no such file: x")


def test_a_start_that_fails() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        with pytest.raises(CriError, match="rpc error: code = Unknown desc = no such file: x"):
            await running(cri)

    serve(story, FakeCri(SystemClock(), behaviour=_cannot_start))


def test_what_a_container_was_given() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        resources = {"cpu_shares": 102, "cpu_quota": 5000, "cpu_period": 100_000, "memory_limit_in_bytes": 1 << 20,
                     "oom_score_adj": 999, "cpuset_cpus": "0-1", "unified": {"memory.oom.group": "1"},
                     "hugepage_limits": [{"page_size": "2MB", "limit": 0}]}  # fmt: skip
        mounts = [
            {"container_path": "/d", "host_path": "/h", "readonly": True, "recursive_read_only": True},
            {"container_path": "/i", "image": {"image": "data:1"}, "readonly": True, "image_sub_path": "a"},
        ]
        made = await running(
            cri, linux={"resources": resources}, mounts=mounts, stop_signal=signal_number("SIGRTMIN+1")
        )
        sent = server.requests("CreateContainer")[0]["config"]
        assert (sent["mounts"], sent["linux"]["resources"]["memory_limit_in_bytes"]) == (mounts, 1 << 20)
        status = await cri.container_status(made)
        assert status.resources == LinuxResources(
            100_000, 5000, 102, 1 << 20, 0, 999, "0-1", "", {"2MB": 0}, {"memory.oom.group": "1"}
        )
        assert status.mounts == (Mounted("/d", "/h", True, True), Mounted("/i", "", True, False, "data:1"))
        assert (status.stop_signal, status.image_id) == ("SIGRTMIN+1", "sha256:app")
        assert (await cri.containers())[0].image_id == "sha256:app"

    serve(story)


def test_old_runtimes_do_not_tell_what_a_container_was_given() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        status = {"id": "c", "metadata": {"name": "a"}, "created_at": 1, "image": {"image": "i"}, "image_ref": "r"}
        for told in (status, {**status, "resources": {}}):
            server.garbage("ContainerStatus", {"status": told})
            found = await cri.container_status("c")
            assert (found.resources, found.mounts, found.stop_signal, found.image_id) == (None, (), "", "")

    serve(story)


def test_other_limits_for_a_container_that_runs() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri, linux={"resources": {"cpu_shares": 102, "memory_limit_in_bytes": 1 << 20}})
        await cri.update_resources(made, {"cpu_shares": 204, "cpu_quota": -1})
        assert server.requests("UpdateContainerResources") == [
            {"container_id": made, "linux": {"cpu_shares": 204, "cpu_quota": -1}}
        ]
        told = (await cri.container_status(made)).resources
        assert told == LinuxResources(cpu_shares=204, cpu_quota=-1, memory_limit_in_bytes=1 << 20)
        fake.refused_updates["app"] = "unable to set memory limit"
        with pytest.raises(CriError, match="rpc error: code = Unknown desc = unable to set memory limit"):
            await cri.update_resources(made, {"memory_limit_in_bytes": 1})
        assert (await cri.container_status(made)).resources == told
        with pytest.raises(CriNotFound):
            await cri.update_resources("gone", {"cpu_shares": 2})

    serve(story)


def test_other_limits_for_a_sandbox() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await cri.run_sandbox(sandbox_config())
        await cri.update_sandbox_resources(made, {"cpu_shares": 2}, {"memory_limit_in_bytes": 5})
        assert server.requests("UpdatePodSandboxResources") == [
            {"pod_sandbox_id": made, "overhead": {"cpu_shares": 2}, "resources": {"memory_limit_in_bytes": 5}}
        ]
        server.fail("UpdatePodSandboxResources", grpc.StatusCode.UNIMPLEMENTED, "no")
        with pytest.raises(CriUnimplemented):
            await cri.update_sandbox_resources(made, {}, {})

    serve(story)


@pytest.mark.parametrize(("given", "sent"), [(0, 120), (60, 120), (500.5, 500)])
def test_checkpoints_have_the_time_of_other_calls_at_least(given: float, sent: int) -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        with pytest.raises(CriUnimplemented):
            await cri.checkpoint("c", "/c.tar", given)
        assert server.requests("CheckpointContainer") == [{"container_id": "c", "location": "/c.tar", "timeout": sent}]

    serve(story)


def test_what_containers_use() -> None:
    use = ContainerUse(
        "", "", 0, {}, CpuUse(10.5, 7_000_000_000, 250), MemoryUse(11.0, 1, 2, 3, 4, 5, 6), SwapUse(12.0, 7, 8),
        FilesystemShare(13.0, "/var/lib", 9, 10),
    )  # fmt: skip

    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        fake.uses["app"] = use
        labels = {"io.kubernetes.pod.uid": "uid-web"}
        assert await cri.container_stats() == [replace(use, id=made, name="app", attempt=2, labels=labels)]
        assert await cri.container_stats("uid-other") == []
        assert len(await cri.container_stats("uid-web")) == 1
        fake.uses["app"] = ContainerUse("", "", cpu=CpuUse(1.0, 0), memory=MemoryUse(1.0, working_set=5))
        (told,) = await cri.container_stats()
        assert (told.cpu, told.memory) == (CpuUse(1.0, 0, None), MemoryUse(1.0, None, 5))
        assert (told.swap, told.writable) == (None, None)
        fake.end("app")
        assert await cri.container_stats() == []

    serve(story)


def test_what_a_sandbox_uses() -> None:
    interfaces = (InterfaceUse("eth0", 1, 2, 3, 4), InterfaceUse("net1", 5), InterfaceUse("net2"))

    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        (box,) = await cri.sandboxes()
        told = await cri.sandbox_stats(box.id)
        assert (told.id, told.name, told.namespace, told.uid) == (box.id, "web", "shop", "uid-web")
        assert (told.cpu, told.memory, told.processes, told.interfaces) == (None, None, 1, interfaces)
        assert [one.id for one in told.containers] == [made]
        assert told.network_at == pytest.approx(fake.clock.now(), abs=60)
        cpu = {"timestamp": 10**9, "usage_core_nano_seconds": {"value": 5}}
        about = {"id": "s", "metadata": {"name": "n"}}
        server.garbage("PodSandboxStats", {"stats": {"attributes": about, "linux": {"cpu": cpu}}})
        told = await cri.sandbox_stats("s")
        assert (told.cpu, told.processes, told.interfaces) == (CpuUse(1.0, 5), None, ())
        server.heal("PodSandboxStats")
        with pytest.raises(CriNotFound):
            await cri.sandbox_stats("gone")

    serve(story, FakeCri(SystemClock(), interfaces=interfaces))


def test_where_images_lie() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        (images,) = (await cri.image_filesystems()).images
        assert (images.mountpoint, images.used, images.inodes_used) == ("/var/lib/images", 1000, 1)
        share = {"timestamp": 10**9, "fs_id": {"mountpoint": "/w"}, "used_bytes": {"value": 0}}
        server.garbage("ImageFsInfo", {"container_filesystems": [share]})
        assert await cri.image_filesystems() == ImageFilesystems((), (FilesystemShare(1.0, "/w", 0),))

    serve(story)


def test_stops_are_told_how_long_to_wait_and_forgive_what_is_gone() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        await cri.stop_container(made, 7.9)
        assert server.requests("StopContainer") == [{"container_id": made, "timeout": 7}]
        longest = (1 << 63) - 1
        for given in (float(longest), inf):
            await cri.stop_container(made, given)
            assert server.requests("StopContainer")[-1]["timeout"] == longest
        for call in ("StopContainer", "RemoveContainer", "StopPodSandbox", "RemovePodSandbox", "RemoveImage"):
            server.fail(call, grpc.StatusCode.NOT_FOUND, "not found")
        await cri.stop_container("gone", 1)
        await cri.remove_container("gone")
        await cri.stop_sandbox("gone")
        await cri.remove_sandbox("gone")
        await cri.remove_image("gone:1")

    serve(story)


@pytest.mark.parametrize(("given", "sent"), [(0.2, 1), (1.0, 1), (2.6, 3)])
def test_a_command_to_its_end(given: float, sent: int) -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        fake.exec_results["check", "all"] = ExecResult(7, b"out\xff", b"err")
        assert await cri.exec_sync(made, ["check", "all"], given) == ExecResult(7, b"out\xff", b"err")
        assert server.requests("ExecSync") == [{"container_id": made, "cmd": ["check", "all"], "timeout": sent}]

    serve(story)


def test_a_command_without_a_limit() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        assert await cri.exec_sync(made, ["a"], 0) == ExecResult(0)
        assert server.requests("ExecSync") == [{"container_id": made, "cmd": ["a"]}]

    serve(story)


def test_streams_are_opened_where_the_runtime_says() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        for call in ("Exec", "Attach", "PortForward"):
            server.garbage(call, {"url": f"http://here/{call}"})
        assert await cri.exec_url("c", ["sh"], stdin=True, stdout=True, stderr=False, tty=True) == "http://here/Exec"
        assert await cri.attach_url("c", stdin=False, stdout=True, stderr=True, tty=False) == "http://here/Attach"
        assert await cri.port_forward_url("s", [80, 443]) == "http://here/PortForward"
        assert server.asked == [
            ("Exec", {"container_id": "c", "cmd": ["sh"], "tty": True, "stdin": True, "stdout": True}),
            ("Attach", {"container_id": "c", "stdout": True, "stderr": True}),
            ("PortForward", {"pod_sandbox_id": "s", "port": [80, 443]}),
        ]

    serve(story)


def test_what_the_runtime_does_not_offer() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        with pytest.raises(CriUnimplemented, match="code = Unimplemented desc = there is no process"):
            await cri.exec_url("c", ["sh"], stdin=True, stdout=True, stderr=False, tty=True)
        with pytest.raises(CriUnimplemented):
            await anext(cri.events())

    serve(story)


def test_logs_are_reopened() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        await cri.reopen_log("c")
        assert server.asked == [("ReopenContainerLog", {"container_id": "c"})]

    serve(story)


def test_images() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        assert await cri.images() == [APP]
        assert await cri.image_status("app:1") == APP
        assert await cri.image_status("new:1") is None
        assert await cri.pull_image("new:1", {"username": "u", "password": "p"}, sandbox_config()) == "sha256:new:1"
        assert server.requests("PullImage")[0]["auth"] == {"username": "u", "password": "p"}
        assert [one.tags for one in await cri.images()] == [("app:1",), ("new:1",)]
        await cri.remove_image("app:1")
        assert await cri.image_status("app:1") is None
        fake.absent.add("none:1")
        with pytest.raises(CriNotFound, match="none:1: not found"):
            await cri.pull_image("none:1", None, sandbox_config())

    serve(story)


def test_somebody_else_has_the_images(tmp_path: Path) -> None:
    async def story() -> None:
        clock, sockets = SystemClock(), (str(tmp_path / "a.sock"), str(tmp_path / "b.sock"))
        containers, images = FakeCri(clock), FakeCri(clock, present={"app:1": APP})
        async with (
            CriServer(containers, sockets[0]) as first, CriServer(images, sockets[1]) as second,
            CriClient(sockets[0], clock, images=sockets[1]) as cri,
        ):  # fmt: skip
            assert await cri.images() == [APP]
            await cri.run_sandbox(sandbox_config())
            assert (len(await containers.sandboxes()), len(await images.sandboxes())) == (1, 0)
            assert [call for call, _ in first.asked] == ["RunPodSandbox"]
            assert [call for call, _ in second.asked] == ["ListImages"]

    asyncio.run(story())


def test_events_name_the_pods() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        server.events = asyncio.Queue()
        for uid in ("uid-a", "uid-b"):
            server.events.put_nowait({"pod_sandbox_status": {"metadata": {"uid": uid}}})
        told = cri.events()
        assert [await anext(told), await anext(told)] == ["uid-a", "uid-b"]
        await told.aclose()  # type: ignore[attr-defined]

    serve(story)
