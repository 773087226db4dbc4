"""Runtimes that hang, die, or answer nonsense: an error that says so each time, and a client that works afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
import pytest

from fakes.cri_answers import ANSWERS
from fakes.cri_server import CriServer
from kubelet.cri.serving import container_config, running, sandbox_config, serve
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import ContainerState, CriError, CriNonsense, CriUnavailable
from pilothouse.testing.fake_cri import FakeCri

Ask = Callable[[CriClient], Awaitable[Any]]
_STREAMS = {"stdin": False, "stdout": True, "stderr": True, "tty": False}
CALLS: dict[str, Ask] = {
    "Version": lambda cri: cri.version(),
    "Status": lambda cri: cri.status(),
    "RunPodSandbox": lambda cri: cri.run_sandbox(sandbox_config()),
    "StopPodSandbox": lambda cri: cri.stop_sandbox("s"),
    "RemovePodSandbox": lambda cri: cri.remove_sandbox("s"),
    "PodSandboxStatus": lambda cri: cri.sandbox_status("s"),
    "ListPodSandbox": lambda cri: cri.sandboxes(),
    "CreateContainer": lambda cri: cri.create_container("s", container_config(), sandbox_config()),
    "StartContainer": lambda cri: cri.start_container("c"),
    "StopContainer": lambda cri: cri.stop_container("c", 0),
    "RemoveContainer": lambda cri: cri.remove_container("c"),
    "ListContainers": lambda cri: cri.containers(),
    "ContainerStatus": lambda cri: cri.container_status("c"),
    "UpdateContainerResources": lambda cri: cri.update_resources("c", {"cpu_shares": 2}),
    "UpdatePodSandboxResources": lambda cri: cri.update_sandbox_resources("s", {}, {"cpu_shares": 2}),
    "CheckpointContainer": lambda cri: cri.checkpoint("c", "/c.tar", 0),
    "ListContainerStats": lambda cri: cri.container_stats(),
    "PodSandboxStats": lambda cri: cri.sandbox_stats("s"),
    "RuntimeConfig": lambda cri: cri.runtime_config(),
    "ImageFsInfo": lambda cri: cri.image_filesystems(),
    "ExecSync": lambda cri: cri.exec_sync("c", ["a"], 0.01),
    "Exec": lambda cri: cri.exec_url("c", ["a"], **_STREAMS),
    "Attach": lambda cri: cri.attach_url("c", **_STREAMS),
    "PortForward": lambda cri: cri.port_forward_url("s", [80]),
    "ReopenContainerLog": lambda cri: cri.reopen_log("c"),
    "ListImages": lambda cri: cri.images(),
    "ImageStatus": lambda cri: cri.image_status("app:1"),
    "PullImage": lambda cri: cri.pull_image("app:1", None, sandbox_config()),
    "RemoveImage": lambda cri: cri.remove_image("app:1"),
}


def test_every_call_is_here() -> None:
    assert set(CALLS) == set(ANSWERS)
    # `picture` is two calls of which each is asked by another method.
    unasked = {name for name in vars(CriClient) if not name.startswith("_")} - {"events", "count_by", "picture"}
    assert len(unasked) == len(CALLS)


def test_no_call_hangs_with_its_runtime() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        for call in CALLS:
            server.hang(call)
        found = await asyncio.gather(*(ask(cri) for ask in CALLS.values()), return_exceptions=True)
        codes = {call: getattr(error, "code", error) for call, error in zip(CALLS, found, strict=True)}
        assert codes == dict.fromkeys(CALLS, "DEADLINE_EXCEEDED")

    serve(story, request_timeout=0.5)


def test_what_hangs_does_not_hold_up_the_rest() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        server.hang("PullImage")
        async with asyncio.TaskGroup() as tasks:
            pull = tasks.create_task(cri.pull_image("app:1", None, sandbox_config()))
            made = await running(cri)
            assert (await cri.container_status(made)).state is ContainerState.RUNNING
            assert not pull.done()
            pull.cancel()
        assert pull.cancelled()

    serve(story)


def test_what_cannot_be_read_is_told() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        for call in CALLS:
            server.garbage(call)
        found = await asyncio.gather(*(ask(cri) for ask in CALLS.values()), return_exceptions=True)
        words = {call: (type(error), str(error)) for call, error in zip(CALLS, found, strict=True)}
        assert words == {call: (CriNonsense, f"the runtime's answer to {call} cannot be read") for call in CALLS}
        for call in CALLS:
            server.heal(call)
        assert (await cri.version()).name == "fake"

    serve(story)


_SANDBOX = {"id": "s", "metadata": {"name": "a", "namespace": "b", "uid": "c"}, "created_at": 1}
_CONTAINER = {"id": "c", "metadata": {"name": "a"}, "created_at": 1, "image": {"image": "i"}, "image_ref": "r"}


def _without(whole: Mapping[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {"status": {name: value for name, value in whole.items() if name not in names} | more}


@pytest.mark.parametrize(
    ("call", "answer", "words"),
    [
        ("Version", {},
         "not all fields are set in VersionResponse (missing Version, RuntimeName, RuntimeApiVersion, RuntimeVersion)"),
        ("Version", {"version": "1", "runtime_name": "x", "runtime_version": "2"},
         "not all fields are set in VersionResponse (missing RuntimeApiVersion)"),
        ("Status", {}, "RuntimeReady or NetworkReady condition are not set"),
        ("Status", {"status": {"conditions": [{"type": "RuntimeReady"}]}},
         "RuntimeReady or NetworkReady condition are not set"),
        ("CreateContainer", {}, "ContainerId is not set for container"),
        ("RunPodSandbox", {}, "PodSandboxId is not set for sandbox"),
        ("PodSandboxStatus", {}, "status.Id is not set"),
        ("PodSandboxStatus", _without(_SANDBOX, "metadata"), "status.Metadata is not set"),
        ("PodSandboxStatus", _without(_SANDBOX, metadata={"name": "a"}),
         'metadata.Name, metadata.Namespace or metadata.Uid is not in metadata "name: "a""'),
        ("PodSandboxStatus", _without(_SANDBOX, "created_at"), "status.CreatedAt is not set"),
        ("ContainerStatus", {}, "status.Id is not set"),
        ("ContainerStatus", _without(_CONTAINER, "metadata"), "status.Metadata is not set"),
        ("ContainerStatus", _without(_CONTAINER, metadata={"attempt": 1}), "metadata.Name is not in metadata"),
        ("ContainerStatus", _without(_CONTAINER, "created_at"), "status.CreatedAt is not set"),
        ("ContainerStatus", _without(_CONTAINER, "image"), "status.Image is not set"),
        ("ContainerStatus", _without(_CONTAINER, "image_ref"), "status.ImageRef is not set"),
        ("Exec", {}, "URL is not set"),
        ("Attach", {}, "URL is not set"),
        ("PortForward", {}, "URL is not set"),
        ("ImageStatus", {"image": {"id": "x"}}, 'Id or size of image "app:1" is not set'),
        ("ImageStatus", {"image": {"size": 1}}, 'Id or size of image "app:1" is not set'),
        ("PodSandboxStats", {}, "the runtime's answer to PodSandboxStats tells of no sandbox"),
        ("PullImage", {}, 'imageRef of image "app:1" is not set'),
    ],
)  # fmt: skip
def test_what_lacks_is_told_in_upstreams_words(call: str, answer: Mapping[str, Any], words: str) -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        server.garbage(call, answer)
        with pytest.raises(CriNonsense) as caught:
            await CALLS[call](cri)
        assert str(caught.value).startswith(words)

    serve(story)


def test_states_nobody_knows_are_unknown() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        server.garbage("ContainerStatus", _without(_CONTAINER, state=9))
        assert (await cri.container_status("c")).state is ContainerState.UNKNOWN
        server.garbage("PodSandboxStatus", _without(_SANDBOX, state=9))
        assert not (await cri.sandbox_status("s")).ready
        server.garbage("ContainerStatus", _without(_CONTAINER, stop_signal=999))
        assert (await cri.container_status("c")).stop_signal == ""
        for linux in ({}, {"linux": {"cgroup_driver": 7}}):
            server.garbage("RuntimeConfig", linux)
            assert await cri.runtime_config() is None

    serve(story)


def test_a_runtime_that_is_not_there_and_comes_back() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        made = await running(cri)
        await server.stop()
        with pytest.raises(CriUnavailable, match="rpc error: code = Unavailable desc = "):
            await cri.containers()
        await server.start()
        while True:  # gRPC waits for a moment before it dials again
            try:
                found = await cri.containers()
            except CriUnavailable:
                await fake.clock.sleep(0.02)
            else:
                break
        assert [one.id for one in found] == [made]

    serve(story)


def test_calls_and_events_that_the_runtime_dies_with() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        server.events = asyncio.Queue()
        server.hang("StopContainer")

        async def die() -> None:
            while len(server.asked) < 2:
                await fake.clock.sleep(0.01)
            await server.stop()

        stop, told, _ = await asyncio.gather(
            cri.stop_container("c", 30), anext(cri.events()), die(), return_exceptions=True
        )
        assert isinstance(stop, CriUnavailable)
        assert isinstance(told, CriUnavailable)

    serve(story)


def test_events_that_cannot_be_read() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        server.events = asyncio.Queue()
        server.garbage("GetContainerEvents")
        server.events.put_nowait({})
        with pytest.raises(CriNonsense, match="the runtime's answer to GetContainerEvents cannot be read"):
            await anext(cri.events())

    serve(story)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.UNKNOWN, "rpc error: code = Unknown desc = why"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "rpc error: code = ResourceExhausted desc = why"),
        (grpc.StatusCode.CANCELLED, "rpc error: code = Canceled desc = why"),
    ],
)
def test_codes_are_spelled_as_in_go(code: grpc.StatusCode, words: str) -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        server.fail("StartContainer", code, "why")
        with pytest.raises(CriError) as caught:
            await cri.start_container("c")
        assert str(caught.value) == words

    serve(story)
