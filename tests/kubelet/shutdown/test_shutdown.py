"""A machine that is shut down, in virtual time. Upstream: nodeshutdown_manager_linux_test.go."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod, run
from kubelet.shutdown.closing import Closing
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.shutdown.policy import Period, ShutdownPolicy
from pilothouse.kubelet.shutdown.record import ShutdownRecord
from pilothouse.kubelet.shutdown.shutdown import DelayError
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.fake_cri import Behaviour

POLICY = ShutdownPolicy(grace_period=30, critical_pods=10)
CRITICAL = 2_000_000_000
MESSAGE = "Pod was terminated in response to imminent node shutdown."


def play(root: Path, story: Callable[[Closing], Coroutine[Any, Any, None]], policy: ShutdownPolicy = POLICY) -> None:
    """Tell a story of a node that waits for its machine to be shut down."""

    async def main(node: FakeNode) -> None:
        closing = Closing(node)
        async with Tasks() as tasks:
            tasks.spawn(closing.shutdown(policy).watch(closing.login), name="shutdown")
            await story(closing)
            tasks.cancel_all()
        assert not closing.login.held

    run(root, main)


def stubborn(config: JsonObject) -> Behaviour:
    """A container of this name takes all the time that it has."""
    return Behaviour(ignores_signals=config["metadata"]["name"] == "stubborn")


def a_pod(name: str, container: str = "app", **spec: Any) -> JsonObject:
    return pod(name, containers=[{"name": container, "image": "app:1"}], **spec)


async def running(node: FakeNode, *pods: JsonObject) -> None:
    node.cri.behaviour = stubborn
    for one in pods:
        node.add(one)
    names = [one["metadata"]["name"] for one in pods]
    await node.until(lambda: all(node.pods[name].status.phase == "Running" for name in names))


def test_pods_end_failed_and_it_is_told_why(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        node, login = closing.node, closing.login
        await running(node, pod())
        assert (login.listening, login.held) == (True, True)
        login.word.put_nowait(True)
        await node.until(lambda: not login.held)
        await node.until(lambda: node.pods["web"].status.phase == "Failed")
        status = node.pods["web"].status
        assert (status.reason, status.message) == ("Terminated", MESSAGE)
        found = next(one for one in status.conditions if one.type == "DisruptionTarget")
        assert (found.status, found.reason, found.message) == ("True", "TerminationByKubelet", MESSAGE)
        assert ("Normal", "NodeShutdown", "Shutdown manager detected shutdown event") in node.told.events
        assert closing.told == [False, True]

    play(tmp_path, story)


def test_a_node_without_pods_holds_nothing_up(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        closing.login.word.put_nowait(True)
        began = closing.node.clock.monotonic()
        await closing.node.until(lambda: bool(closing.login.locks) and not closing.login.held)
        assert closing.node.clock.monotonic() - began < 1

    play(tmp_path, story)


def test_critical_pods_end_when_the_others_have(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        node, login = closing.node, closing.login
        await running(
            node,
            a_pod("critical", priority=CRITICAL),
            a_pod("slow", "stubborn", terminationGracePeriodSeconds=8),
            a_pod("quick"),
        )
        began = node.clock.monotonic()
        login.word.put_nowait(True)
        await node.until(lambda: node.pods["quick"].status.phase == "Failed")
        assert node.clock.monotonic() - began < 2
        await node.clock.sleep(5)
        assert node.pods["critical"].status.phase == "Running"
        assert login.held
        await node.until(lambda: node.pods["slow"].status.phase == "Failed")
        await node.until(lambda: node.pods["critical"].status.phase == "Failed")
        # As long as the slow one asks for, not as long as its turn may last.
        assert 8 <= node.clock.monotonic() - began < 10
        await node.until(lambda: not login.held, seconds=1)

    play(tmp_path, story)


def test_a_pod_has_no_longer_than_its_turn_lasts(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        node = closing.node
        await running(node, a_pod("endless", "stubborn", terminationGracePeriodSeconds=3600))
        began = node.clock.monotonic()
        closing.login.word.put_nowait(True)
        await node.until(lambda: node.pods["endless"].status.phase == "Failed")
        assert 20 <= node.clock.monotonic() - began < 22

    play(tmp_path, story)


def test_turns_follow_priorities(tmp_path: Path) -> None:
    policy = ShutdownPolicy(by_priority=(Period(1000, 6), Period(0, 4), Period(100, 5)))

    async def story(closing: Closing) -> None:
        node = closing.node
        await running(node, *(a_pod(f"p{one}", "stubborn", priority=one) for one in (0, 100, 2000)))
        began, ends = node.clock.monotonic(), []
        closing.login.word.put_nowait(True)
        for name in ("p0", "p100", "p2000"):
            await node.until(lambda name=name: node.pods[name].status.phase == "Failed")  # type: ignore[misc]
            ends.append(round(node.clock.monotonic() - began))
        assert ends == [4, 9, 15]

    play(tmp_path, story, policy)


def test_a_turn_is_over_when_volumes_are_gone_or_its_time_is_up(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        node, login = closing.node, closing.login
        await running(node, a_pod("web"), a_pod("critical", priority=CRITICAL))
        closing.kept |= {"uid-web", "uid-critical"}
        began = node.clock.monotonic()
        login.word.put_nowait(True)
        await node.clock.sleep(7)
        assert node.pods["web"].status.phase == "Failed"
        assert node.pods["critical"].status.phase == "Running"
        closing.kept.remove("uid-web")
        await node.until(lambda: node.pods["critical"].status.phase == "Failed")
        assert node.clock.monotonic() - began < 9
        await node.until(lambda: not login.held)
        assert 17 <= node.clock.monotonic() - began < 19

    play(tmp_path, story)


def test_no_pod_is_taken_until_it_is_called_off(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        node, login = closing.node, closing.login
        login.word.put_nowait(True)
        await node.until(lambda: closing.shutting_down)
        node.add(pod("late", priority=CRITICAL))
        await node.until(lambda: node.pods["late"].status.phase == "Failed")
        status = node.pods["late"].status
        text = "Pod was rejected: Pod was rejected as the node is shutting down."
        assert (status.reason, status.message) == ("NodeShutdown", text)
        assert not login.held
        login.word.put_nowait(False)
        await node.until(lambda: login.held)
        assert len(login.locks) == 2
        text = "Shutdown manager detected shutdown cancellation"
        assert ("Normal", "NodeShutdown", text) in node.told.events
        await running(node, pod("again"))
        login.word.put_nowait(True)
        await node.until(lambda: node.pods["again"].status.reason == "Terminated")

    play(tmp_path, story)


def test_what_was_called_off_too_late_is_heard_after_the_pods_have_ended(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        node, login = closing.node, closing.login
        await running(node, a_pod("slow", "stubborn", terminationGracePeriodSeconds=8))
        login.word.put_nowait(True)
        login.word.put_nowait(False)
        await node.clock.sleep(5)
        assert closing.told == [False, True]
        await node.until(lambda: closing.told == [False, True, False])
        assert node.pods["slow"].status.phase == "Failed"

    play(tmp_path, story)


def test_what_was_called_off_before_it_was_heard_of_leaves_one_lock(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        closing.login.word.put_nowait(False)
        await closing.node.until(lambda: len(closing.login.locks) == 2)
        await closing.node.clock.sleep(0)
        assert [lock.held for lock in closing.login.locks] == [False, True]

    play(tmp_path, story)


def test_a_shutdown_is_written_down(tmp_path: Path) -> None:
    async def story(closing: Closing) -> None:
        node, registry = closing.node, closing.metrics.registry
        await running(node, a_pod("slow", "stubborn", terminationGracePeriodSeconds=8))
        began = node.clock.now()
        closing.login.word.put_nowait(True)
        await node.clock.sleep(5)
        assert closing.saved == [ShutdownRecord(began)]
        assert (registry.get_sample_value("began"), registry.get_sample_value("ended")) == (int(began), 0)
        await node.until(lambda: len(closing.saved) == 2)
        (_, last) = closing.saved
        assert last.began == began
        assert 8 <= last.ended - began < 10
        assert registry.get_sample_value("ended") == int(last.ended)
        closing.login.word.put_nowait(False)
        await running(node, a_pod("next", "stubborn", terminationGracePeriodSeconds=8))
        closing.login.word.put_nowait(True)
        await node.until(lambda: len(closing.saved) == 3)
        assert registry.get_sample_value("ended") == 0

    play(tmp_path, story)


def test_whoever_is_no_longer_heard_holds_nothing_up(tmp_path: Path) -> None:
    async def main(node: FakeNode) -> None:
        closing = Closing(node)
        closing.login.word.put_nowait(OSError("hung up"))
        with pytest.raises(OSError, match="hung up"):
            await closing.shutdown(POLICY).watch(closing.login)
        assert closing.login.locks
        assert not closing.login.held

    run(tmp_path, main)


def test_what_was_called_off_while_nobody_was_heard_is_over_with_the_next_lock(tmp_path: Path) -> None:
    async def main(node: FakeNode) -> None:
        closing = Closing(node)
        shutdown = closing.shutdown(POLICY)
        for last in (True, OSError("hung up")):
            closing.login.word.put_nowait(last)
        with pytest.raises(OSError, match="hung up"):
            await shutdown.watch(closing.login)
        assert closing.shutting_down
        closing.login.word.put_nowait(OSError("hung up"))
        with pytest.raises(OSError, match="hung up"):
            await shutdown.watch(closing.login)
        assert not closing.shutting_down

    run(tmp_path, main)


@pytest.mark.parametrize(
    ("most", "asked", "wanted"),
    [(30.0, 1, None), (60.0, 1, None), (5.0, 2, 30.0), (29.9, 2, 30.0)],
)
def test_the_machine_is_asked_to_wait_where_it_would_not_wait_as_long(
    tmp_path: Path, most: float, asked: int, wanted: float | None
) -> None:
    async def main(node: FakeNode) -> None:
        closing = Closing(node)
        closing.login.most = most
        await closing.shutdown(POLICY).prepare(closing.login)
        assert (closing.login.asked, closing.login.wanted) == (asked, wanted)

    run(tmp_path, main)


@pytest.mark.parametrize(("reads_after", "seconds"), [(1, 0.1), (4, 1.5)])
def test_it_has_time_to_read_that(tmp_path: Path, reads_after: int, seconds: float) -> None:
    async def main(node: FakeNode) -> None:
        closing, began = Closing(node), node.clock.monotonic()
        closing.login.reads_after = reads_after
        await closing.shutdown(POLICY).prepare(closing.login)
        assert node.clock.monotonic() - began == pytest.approx(seconds)

    run(tmp_path, main)


def test_but_not_for_ever(tmp_path: Path) -> None:
    async def main(node: FakeNode) -> None:
        closing = Closing(node)
        closing.login.reads_after = 5
        with pytest.raises(DelayError) as error:
            await closing.shutdown(POLICY).prepare(closing.login)
        assert str(error.value) == (
            "node shutdown manager was timed out after 5 attempts waiting for logind InhibitDelayMaxSec to update to "
            "30s (ShutdownGracePeriod), current value is 5s"
        )

    run(tmp_path, main)
