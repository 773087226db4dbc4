"""Thresholds, delays and ticks, as upstream's worker counts them (pkg/kubelet/prober/worker.go)."""

import pytest

from pilothouse.api.types.core_v1 import Container, Probe
from pilothouse.kubelet.probes.tally import Kind, Tally, after, following, initial, is_due, remembered

S, R, L = Kind.STARTUP, Kind.READINESS, Kind.LIVENESS


def _probe(success: int = 1, failure: int = 3, delay: int = 0) -> Probe:
    return Probe({"successThreshold": success, "failureThreshold": failure, "initialDelaySeconds": delay})


def _verdicts(kind: Kind, answers: str, probe: Probe) -> str:
    """`+` good, `-` bad, `?` none, after each answer; `.` once no more is asked."""
    tally, seen = initial(kind), ""
    for answer in answers:
        if tally.final:
            seen += "."
            continue
        tally = after(tally, probe, answer == "+")
        seen += {True: "+", False: "-", None: "?"}[tally.verdict]
    return seen


@pytest.mark.parametrize(("kind", "verdict"), [(S, None), (R, False), (L, True)])
def test_before_the_first_answer(kind: Kind, verdict: bool | None) -> None:
    assert initial(kind) == Tally(kind, verdict)


@pytest.mark.parametrize(
    ("kind", "answers", "verdicts", "success", "failure"),
    [
        (L, "---", "++-", 1, 3),
        (L, "--+--+---", "+" * 8 + "-", 1, 3),
        (L, "-+", "-.", 1, 1),
        (R, "+", "+", 1, 3),
        (R, "--+---+", "--" + "+++" + "-+", 1, 3),
        (R, "+-++-+", "---+" + "-" * 2, 2, 1),
        (R, "++-+-", "-++++", 2, 2),
        (S, "--+-", "??+.", 1, 3),
        (S, "---+", "??-.", 1, 3),
        (S, "+-", "+.", 1, 3),
    ],
)
def test_verdicts_follow_rows_of_equal_answers(
    kind: Kind, answers: str, verdicts: str, success: int, failure: int
) -> None:
    assert _verdicts(kind, answers, _probe(success, failure)) == verdicts


@pytest.mark.parametrize(
    ("kind", "started", "ready", "verdict", "final"),
    [
        (S, True, False, True, True),
        (S, False, False, None, False),
        (R, True, True, True, False),
        (R, True, False, False, False),
        (L, True, True, True, False),
    ],
)
def test_what_an_earlier_kubelet_found_stays(
    kind: Kind, started: bool, ready: bool, verdict: bool | None, final: bool
) -> None:
    assert remembered(kind, started=started, ready=ready) == Tally(kind, verdict, final=final)


@pytest.mark.parametrize(
    ("kind", "running_for", "delay", "started", "due"),
    [
        (L, 14.0, 15, True, False),
        (L, 15.0, 15, True, True),
        (L, 14.99, 15, True, True),
        (L, 15.0, 0, False, False),
        (R, 0.0, 0, True, True),
        (R, 0.0, 0, False, False),
        (S, 0.0, 0, False, True),
        (S, 4.0, 5, False, False),
    ],
)
def test_probing_waits_for_the_delay_and_the_start(
    kind: Kind, running_for: float, delay: int, started: bool, due: bool
) -> None:
    assert is_due(kind, _probe(delay=delay), running_for, started=started) is due


@pytest.mark.parametrize(
    ("tick", "now", "wanted"), [(10, 10, 20), (10, 19, 20), (10, 20, 20), (10, 29, 20), (10, 30, 30), (10, 47, 40)]
)
def test_of_missed_ticks_one_is_made_up_for(tick: float, now: float, wanted: float) -> None:
    assert following(tick, now, 10) == wanted


def test_each_kind_has_its_probe() -> None:
    names = ("startupProbe", "readinessProbe", "livenessProbe")
    container = Container({name: {"periodSeconds": number} for number, name in enumerate(names, 1)})
    assert [kind.of(container).periodSeconds for kind in (S, R, L)] == [1, 2, 3]
    assert not L.of(Container({"name": "app"}))
