"""How long calls may take: upstream's cri-client, but for pulls and commands without a limit."""

import pytest

from pilothouse.kubelet.cri.deadlines import deadline


@pytest.mark.parametrize(
    ("call", "within", "seconds"),
    [
        ("Version", 0, 120),
        ("CreateContainer", 0, 120),
        ("UpdateContainerResources", 0, 120),
        ("Exec", 0, 120),
        ("ReopenContainerLog", 0, 120),
        ("ListContainers", 0, 120),
        ("ImageFsInfo", 0, 120),
        ("RunPodSandbox", 0, 240),
        ("StopContainer", 30, 150),
        ("StopContainer", 0, 120),
        ("CheckpointContainer", 0, 120),
        ("CheckpointContainer", 60, 120),
        ("CheckpointContainer", 500, 500),
        ("ExecSync", 1, 6),
        ("ExecSync", 0, 3600),
        ("PullImage", 0, 3600),
    ],
)
def test_seconds(call: str, within: float, seconds: float) -> None:
    assert deadline(call, within=within) == seconds


def test_all_follow_what_a_request_may_take() -> None:
    calls = ("Version", "RunPodSandbox", "PullImage", "ExecSync")
    assert [deadline(call, 1.0) for call in calls] == [1, 2, 30, 30]
    assert deadline("ExecSync", 1.0, 10.0) == 11
