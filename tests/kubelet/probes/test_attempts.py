import asyncio
from collections.abc import Sequence
from typing import ClassVar

import pytest

from kubelet.harness import Told, pod
from kubelet.probes.asking import means, target
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.probes.attempts import Attempts
from pilothouse.kubelet.probes.handler import Answer, Handler, Outcome, ProbeError
from pilothouse.kubelet.probes.handler import Target as Asked
from pilothouse.kubelet.probes.tally import Kind
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.metrics import Metrics

POD = Pod(pod())
GOOD, BAD = Answer(Outcome.SUCCESS, "fine"), Answer(Outcome.FAILURE, "HTTP probe failed with statuscode: 500")
WARNING = Answer(Outcome.WARNING, "Probe terminated redirects, Response body: ")


class Scripted(Handler):
    """Gives what it is told to, one after the other."""

    field: ClassVar[str] = "httpGet"

    def __init__(self, script: Sequence[Answer | Exception]) -> None:
        super().__init__(means())
        self.script = list(script)

    async def ask(self, target: Asked) -> Answer:
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _make(
    *script: Answer | Exception, kind: Kind = Kind.LIVENESS, field: str = "httpGet"
) -> tuple[bool | None, Told, Scripted, Metrics]:
    told, handler, metrics = Told(), Scripted(script), Metrics()
    attempts = Attempts([handler], told, SystemClock(), metrics)
    probe: JsonObject = {field: {"path": "/"}}
    found = asyncio.run(attempts.make(kind, POD, target(**probe)))
    return found, told, handler, metrics


@pytest.mark.parametrize(
    ("answer", "success", "events"),
    [
        (GOOD, True, []),
        (BAD, False, [("Warning", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")]),
        (
            WARNING,
            True,
            [("Warning", "ProbeWarning", "Liveness probe warning: Probe terminated redirects, Response body: ")],
        ),
    ],
)
def test_answers_and_their_events(answer: Answer, success: bool, events: list[tuple[str, str, str]]) -> None:
    found, told, _, _ = _make(answer)
    assert (found, told.events) == (success, events)


@pytest.mark.parametrize(("failures", "success", "left"), [(1, True, 0), (2, True, 0), (3, None, 1)])
def test_a_question_that_cannot_be_put_is_tried_three_times(failures: int, success: bool | None, left: int) -> None:
    found, told, handler, metrics = _make(*[ProbeError("no runtime")] * failures, GOOD, kind=Kind.READINESS)
    assert (found, len(handler.script)) == (success, left)
    errored = ("Warning", "Unhealthy", "Readiness probe errored and resulted in unknown state: no runtime")
    assert told.events == ([] if success else [errored])
    assert (b'result="' in metrics.page()) is bool(success)


def test_a_failure_is_not_tried_again() -> None:
    assert len(_make(BAD, GOOD)[2].script) == 1


def test_a_probe_that_asks_in_no_way() -> None:
    found, told, _, _ = _make(GOOD, field="httpGot", kind=Kind.STARTUP)
    why = "missing probe handler for web_default(uid-web):app"
    assert found is None
    assert told.events == [("Warning", "Unhealthy", f"Startup probe errored and resulted in unknown state: {why}")]


def test_a_fault_of_ours_counts_for_nothing() -> None:
    found, told, _, _ = _make(ZeroDivisionError())
    assert (found, told.events) == (None, [])


def test_counts_until_the_pod_is_forgotten() -> None:
    metrics = Metrics()
    attempts = Attempts([Scripted([GOOD, BAD, BAD])], Told(), SystemClock(), metrics)

    async def main() -> None:
        for _ in range(3):
            await attempts.make(Kind.LIVENESS, POD, target(httpGet={"path": "/"}))

    asyncio.run(main())
    labels = 'container="app",namespace="default",pod="web",pod_uid="uid-web",probe_type="Liveness"'
    page = metrics.page().decode()
    assert f'prober_probe_total{{{labels},result="failed"}} 2.0' in page
    assert f'prober_probe_total{{{labels},result="successful"}} 1.0' in page
    timed = 'container="app",namespace="default",pod="web",probe_type="Liveness"'
    assert f"prober_probe_duration_seconds_count{{{timed}}} 1.0" in page
    attempts.forget("uid-web")
    assert "Liveness" not in metrics.page().decode()
