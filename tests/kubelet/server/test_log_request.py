"""The query of a log request, and the run that it means, with the messages users meet."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.logs import Selection
from pilothouse.kubelet.server.log_request import LogRequest, choose_run, parse_log_request
from pilothouse.kubelet.server.text import Refused
from pilothouse.runtime.clock import parse_time

NOW = parse_time("2026-01-01T00:10:00Z")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", LogRequest(Selection())),
        ("follow=true&timestamps=1&previous=true", LogRequest(Selection(timestamps=True), follow=True, previous=True)),
        ("follow=false&timestamps=0", LogRequest(Selection())),
        ("follow", LogRequest(Selection(), follow=True)),
        ("tailLines=0", LogRequest(Selection(), tail=0)),
        ("tail=5", LogRequest(Selection(), tail=5)),
        ("tail=all&tailLines=5", LogRequest(Selection())),
        ("limitBytes=10", LogRequest(Selection(limit_bytes=10))),
        ("sinceSeconds=60", LogRequest(Selection(since=NOW - 60))),
        ("sinceTime=2026-01-01T00:00:00Z", LogRequest(Selection(since=NOW - 600))),
        ("stream=Stderr", LogRequest(Selection(stream="stderr"))),
        ("stream=All&tailLines=1", LogRequest(Selection(), tail=1)),
        ("somethingElse=1", LogRequest(Selection())),
    ],
)
def test_the_query(query: str, wanted: LogRequest) -> None:
    assert parse_log_request(parse_qs(query, keep_blank_values=True), NOW) == wanted


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("tailLines=x", 400),
        ("sinceTime=yesterday", 400),
        ("tailLines=-1", 422),
        ("limitBytes=0", 422),
        ("sinceSeconds=0", 422),
        ("sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422),
        ("stream=stdout", 422),
        ("stream=Stdout&tailLines=1", 422),
    ],
)
def test_a_wrong_query(query: str, status: int) -> None:
    with pytest.raises(Refused) as caught:
        parse_log_request(parse_qs(query), NOW)
    assert caught.value.status == status
    assert caught.value.message == {
        400: '{"message": "Unable to decode query."}', 422: '{"message": "Invalid request."}'
    }[status]  # fmt: skip


def web(state: dict[str, Any], last: dict[str, Any] | None = None, where: str = "containerStatuses") -> Pod:
    status = {"name": "app", "containerID": "containerd://now", "state": state, "lastState": last or {}}
    return Pod({"metadata": {"name": "web"}, "status": {where: [status]}})


def ended(container_id: str) -> dict[str, Any]:
    return {"terminated": {"exitCode": 1, "containerID": container_id}}


RUNS: dict[str, Any] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
WAITS = {"waiting": {"reason": "CrashLoopBackOff"}}


@pytest.mark.parametrize(
    ("pod", "previous", "run"),
    [
        (web(RUNS), False, "now"),
        (web(RUNS, ended("containerd://before")), False, "now"),
        (web(RUNS, ended("containerd://before")), True, "before"),
        (web(ended("containerd://then")), False, "then"),
        (web(ended(""), ended("containerd://before")), False, "before"),
        (web(WAITS, ended("containerd://before")), False, "before"),
        (web(RUNS, where="initContainerStatuses"), False, "now"),
        (web(RUNS, where="ephemeralContainerStatuses"), False, "now"),
    ],
)
def test_the_run_that_is_meant(pod: Pod, previous: bool, run: str) -> None:
    assert choose_run(pod, "app", previous=previous) == run


@pytest.mark.parametrize(
    ("pod", "previous", "message"),
    [
        (Pod({"metadata": {"name": "web"}}), False, 'container "app" in pod "web" is not available'),
        (web(RUNS), True, 'previous terminated container "app" in pod "web" not found'),
        (web(RUNS, ended("")), True, 'previous terminated container "app" in pod "web" not found'),
        (web(ended("")), False, 'container "app" in pod "web" is terminated'),
        (web(WAITS, ended("")), False, 'container "app" in pod "web" is terminated'),
        (web(WAITS), False, 'container "app" in pod "web" is waiting to start: CrashLoopBackOff'),
        (
            web({"waiting": {"reason": "ErrImagePull"}}),
            False,
            'container "app" in pod "web" is waiting to start: image can\'t be pulled',
        ),
        (
            web({"waiting": {"reason": "ImagePullBackOff"}}),
            False,
            'container "app" in pod "web" is waiting to start: trying and failing to pull image',
        ),
        (web({}), False, 'container "app" in pod "web" is waiting to start - no logs yet'),
    ],
)
def test_why_there_is_no_log(pod: Pod, previous: bool, message: str) -> None:
    with pytest.raises(Refused) as caught:
        choose_run(pod, "app", previous=previous)
    assert (caught.value.status, caught.value.message) == (400, message)
