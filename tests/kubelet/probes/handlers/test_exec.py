"""Outcomes and messages of upstream's pkg/probe/exec and of its runtime client."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from kubelet.probes.asking import means, running_container, target
from pilothouse.kubelet.cri.interface import CriError, ExecResult
from pilothouse.kubelet.probes.handler import Answer, Outcome, ProbeError
from pilothouse.kubelet.probes.handlers.exec import OUTPUT_LIMIT, ExecHandler
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.fake_cri import FakeCri


@dataclass(slots=True)
class SlowCri(FakeCri):
    """A runtime that gives commands up when their time is over."""

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: float) -> ExecResult:
        raise CriError("DEADLINE_EXCEEDED", f"failed to exec in container: timeout {timeout}s exceeded")


async def _ask(cri: FakeCri, *command: str, timeout: int = 1) -> Answer:
    container = await running_container(cri)
    probe = target(container, exec={"command": list(command)}, timeoutSeconds=timeout)
    return await ExecHandler(means(cri)).ask(probe)


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (ExecResult(0, b"fine"), Answer(Outcome.SUCCESS, "fine")),
        (ExecResult(3, b"out ", b"err"), Answer(Outcome.FAILURE, "out err")),
        (ExecResult(1, b"x" * 2 * OUTPUT_LIMIT), Answer(Outcome.FAILURE, "x" * OUTPUT_LIMIT)),
        (ExecResult(0, b"\xff"), Answer(Outcome.SUCCESS, "�")),
    ],
)
def test_the_exit_code_decides(result: ExecResult, answer: Answer) -> None:
    cri = FakeCri(SystemClock(), exec_results={("check", "all"): result})
    assert asyncio.run(_ask(cri, "check", "all")) == answer


def test_values_of_the_spec_are_filled_in() -> None:
    cri = FakeCri(SystemClock(), exec_results={("check", "8080", "", "$(OTHER)"): ExecResult(7)})
    assert asyncio.run(_ask(cri, "check", "$(PORT)", "$(FROM)", "$(OTHER)")).outcome is Outcome.FAILURE


def test_too_slow_is_a_failure() -> None:
    found = asyncio.run(_ask(SlowCri(SystemClock()), "sleep", "100", timeout=2))
    assert found == Answer(Outcome.FAILURE, 'command timed out: "sleep 100" timed out after 2s')


def test_what_the_runtime_cannot_do_says_nothing_of_the_container() -> None:
    handler = ExecHandler(means())
    with pytest.raises(ProbeError, match=r"^rpc error: code = NotFound desc = .*not found$"):
        asyncio.run(handler.ask(target("gone", exec={"command": ["true"]})))
