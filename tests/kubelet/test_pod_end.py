"""In which order and when containers are ended, as upstream's kuberuntime_termination_order.go has it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubelet.harness import Told
from kubelet.observing import containers, pod, ran, sidecar
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import HTTPGetAction, Pod
from pilothouse.kubelet.cri.interface import Container, CriError, ExecResult
from pilothouse.kubelet.hooks import Hooks
from pilothouse.kubelet.pod_end import Ender, KillError
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


@dataclass(slots=True)
class Runtime(FakeCri):
    """Its containers take their time to end, by name, unless they are killed."""

    takes: dict[str, float] = field(default_factory=dict)
    broken: str = ""
    story: list[tuple[float, str]] = field(default_factory=list)
    began: float = 0.0

    async def stop_container(self, container_id: str, timeout: float) -> None:
        name = container_id.rpartition("-")[0]
        self.note(f"stop {name} {timeout:g}")
        if name == self.broken:
            raise CriError("UNKNOWN", "cannot stop")
        await self.clock.sleep(min(self.takes.get(name, 0.0), timeout))
        self.note(f"ended {name}")

    async def exec_sync(self, container_id: str, command: Any, timeout: float) -> ExecResult:
        self.note(f"hook {container_id.rpartition('-')[0]}")
        await self.clock.sleep(float(command[0]))
        return ExecResult(int(command[1]), b"", b"oops")

    def note(self, what: str) -> None:
        self.story.append((round(self.clock.monotonic() - self.began, 3), what))


class NoSandbox(Runtime):
    """One of its sandboxes does not end."""

    async def stop_sandbox(self, sandbox_id: str) -> None:
        self.note(f"end {sandbox_id}")
        if sandbox_id == "s0":
            raise CriError("UNKNOWN", 'no "s0"')


def hook(seconds: float, exit_code: int = 0) -> JsonObject:
    return {"lifecycle": {"preStop": {"exec": {"command": [str(seconds), str(exit_code)]}}}}


def end(of: Pod, *runs: Container, grace: float = 30, broken: str = "", **takes: float) -> tuple[Runtime, Told]:
    """End a pod; what was done when."""
    told = Told()
    made: list[Runtime] = []

    async def main(clock: Clock, _chance: object) -> None:
        async def fetch(action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
            raise OSError("unused")

        runtime = Runtime(clock, takes=takes, broken=broken, began=clock.monotonic())
        made.append(runtime)
        ender = Ender(runtime, told, Hooks(runtime, fetch, clock), clock)
        try:
            await ender.end_all(of, runs, grace, "10.88.0.2")
        except KillError as error:
            runtime.note(str(error))

    loop.run(main)
    return made[0], told


def test_main_containers_end_together() -> None:
    runtime, told = end(pod(containers=containers("a", "b")), ran("a"), ran("b"), a=3, b=5)
    assert runtime.story == [(0, "stop a 30"), (0, "stop b 30"), (3, "ended a"), (5, "ended b")]
    assert told.events == [
        ("Normal", "Killing", "Stopping container a"), ("Normal", "Killing", "Stopping container b"),
    ]  # fmt: skip


def test_sidecars_end_after_them_the_last_one_first() -> None:
    one = pod(initContainers=[sidecar("s1"), *containers("i"), sidecar("s2")])
    runtime, told = end(one, ran("app"), ran("s1"), ran("s2"), app=3, s2=4, s1=1)
    assert runtime.story == [
        (0, "stop app 30"), (3, "ended app"), (3, "stop s2 27"), (7, "ended s2"), (7, "stop s1 23"), (8, "ended s1"),
    ]  # fmt: skip
    assert len(told.events) == 3


def test_a_sidecar_does_not_wait_for_what_does_not_run() -> None:
    one = pod(initContainers=[sidecar("s1"), sidecar("s2")])
    assert end(one, ran("s1"))[0].story == [(0, "stop s1 30"), (0, "ended s1")]


def test_all_hooks_begin_at_once_and_take_from_the_time_to_end() -> None:
    one = pod(containers=containers("app", **hook(5)), initContainers=[sidecar(**hook(2))])
    runtime, _ = end(one, ran("app"), ran("side"), app=10)
    assert runtime.story == [
        (0, "hook app"), (0, "hook side"), (5, "stop app 25"), (15, "ended app"), (15, "stop side 15"),
        (15, "ended side"),
    ]  # fmt: skip


def test_a_hook_that_takes_too_long_leaves_a_moment_to_end() -> None:
    runtime, told = end(pod(containers=containers("app", **hook(100))), ran("app"), grace=10, app=60)
    assert runtime.story == [(0, "hook app"), (10, "stop app 2"), (12, "ended app")]
    assert told.reasons() == ["Killing"]


def test_sidecars_get_their_moment_when_the_time_is_over() -> None:
    runtime, _ = end(pod(initContainers=[sidecar()]), ran("app"), ran("side"), grace=10, app=60, side=60)
    assert runtime.story == [
        (0, "stop app 10"), (10, "ended app"), (10, "stop side 2"), (12, "ended side"),
    ]  # fmt: skip


def test_without_time_there_are_no_hooks() -> None:
    runtime, _ = end(pod(containers=containers("app", **hook(5))), ran("app"), grace=0)
    assert runtime.story == [(0, "stop app 2"), (0, "ended app")]


def test_a_hook_that_fails_is_told_of_without_its_words_and_changes_nothing() -> None:
    runtime, told = end(pod(containers=containers("app", **hook(1, 3))), ran("app"))
    assert runtime.story[-1] == (1, "ended app")
    assert told.events[-1] == ("Warning", "FailedPreStopHook", "PreStopHook failed")


@pytest.mark.parametrize(("lifecycle", "story"), [
    ({"stopSignal": "SIGUSR1"}, [(0, "stop app 30"), (0, "ended app")]),
    ({"stopSignal": "SIGUSR1", **hook(5)["lifecycle"]}, [(0, "hook app"), (5, "stop app 25"), (5, "ended app")]),
])  # fmt: skip
def test_a_signal_of_its_own_is_the_runtimes_affair_and_comes_after_the_hook(
    lifecycle: JsonObject, story: list[tuple[float, str]]
) -> None:
    runtime, told = end(pod(containers=containers("app", lifecycle=lifecycle)), ran("app"))
    assert runtime.story == story
    assert told.reasons() == ["Killing"]


@pytest.mark.parametrize("broken", ["app", "side"])
def test_one_that_cannot_be_ended_keeps_no_other_running(broken: str) -> None:
    runtime, _ = end(pod(initContainers=[sidecar()]), ran("app"), ran("side"), broken=broken)
    done = [what for _, what in runtime.story]
    assert [what for what in done if what.startswith("stop")] == ["stop app 30", "stop side 30"]
    assert done[-1] == (
        f'failed to "KillContainer" for "{broken}" with KillContainerError: '
        '"rpc error: code = Unknown desc = cannot stop"'
    )


def test_sandboxes_are_ended_after_all_whatever_came_of_the_containers() -> None:
    async def main(clock: Clock, _chance: object) -> None:
        runtime = NoSandbox(clock, broken="app")
        ender = Ender(runtime, Told(), Hooks(runtime, lambda *_: pytest.fail("unused"), clock), clock)
        with pytest.raises(KillError) as told:
            await ender.end_all(pod(), (ran("app"), ran("b")), 30, "", ("s0", "s1"))
        assert [what for _, what in runtime.story] == ["stop app 30", "stop b 30", "ended b", "end s0", "end s1"]
        assert str(told.value) == (
            '[failed to "KillContainer" for "app" with KillContainerError: "rpc error: code = Unknown desc = cannot '
            'stop", failed to "KillPodSandbox" for "uid-web" with KillPodSandboxError: "rpc error: code = Unknown '
            'desc = no \\"s0\\""]'
        )

    loop.run(main)


def test_a_turn_is_given_up_when_the_kubelet_ends() -> None:
    async def main(clock: Clock, _chance: object) -> None:
        runtime = Runtime(clock, takes={"app": 1000})
        ender = Ender(runtime, Told(), Hooks(runtime, lambda *_: pytest.fail("unused"), clock), clock)
        with pytest.raises(TimeoutError):
            async with clock.timeout(1):
                await ender.end_all(pod(initContainers=[sidecar()]), (ran("app"), ran("side")), 1000, "")
        assert asyncio.all_tasks() == {asyncio.current_task()}

    loop.run(main)
