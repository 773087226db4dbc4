"""The last words of a container: from its file, else from its log where the pod wants that."""

from dataclasses import replace
from pathlib import Path

import pytest

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container, ContainerState
from pilothouse.kubelet.runtime_config import MESSAGE_POLICY
from pilothouse.kubelet.termination import fair_share, with_message

LINE = "2026-01-01T00:00:00Z stdout F {}\n"


@pytest.fixture
def run(tmp_path: Path) -> Container:
    policy = {MESSAGE_POLICY: "FallbackToLogsOnError"}
    log = str(tmp_path / "0.log")
    return Container("c", "s", "app", 0, ContainerState.EXITED, 1.0, exit_code=1, log_path=log, annotations=policy)


def told(run: Container, tmp_path: Path) -> str:
    return with_message(run, tmp_path / "message", most=12288).message


def test_the_file_comes_first(run: Container, tmp_path: Path) -> None:
    (tmp_path / "message").write_text("said first" + "x" * 4096)
    Path(run.log_path).write_text(LINE.format("logged"))
    assert told(run, tmp_path) == "x" * 4096


def test_the_log_of_a_failure_is_the_message(run: Container, tmp_path: Path) -> None:
    Path(run.log_path).write_text(LINE.format("1%\r99%\rfailed"))
    assert told(run, tmp_path) == "1%\r99%\rfailed\n"
    assert told(replace(run, exit_code=0), tmp_path) == ""
    assert told(replace(run, annotations={}), tmp_path) == ""


def test_a_long_log_is_cut(run: Container, tmp_path: Path) -> None:
    Path(run.log_path).write_text("".join(LINE.format(number) for number in range(500)))
    assert told(run, tmp_path) == "".join(f"{number}\n" for number in range(420, 500))
    Path(run.log_path).write_text("".join(LINE.format("y" * 200) for _ in range(50)))
    assert len(told(run, tmp_path)) == 2048


def test_nothing_was_said(run: Container, tmp_path: Path) -> None:
    assert told(run, tmp_path) == ""


@pytest.mark.parametrize(
    ("mains", "inits", "share"), [(1, 0, 12288), (3, 0, 4096), (2, 2, 3072), (40, 8, 256), (0, 0, 12288)]
)
def test_all_containers_of_a_pod_may_say_as_much(mains: int, inits: int, share: int) -> None:
    spec = {"containers": [{"name": "m"}] * mains, "initContainers": [{"name": "i"}] * inits}
    assert fair_share(Pod({"spec": spec})) == share


def test_what_is_more_than_the_share_is_cut_in_the_middle_of_a_letter_if_need_be(
    run: Container, tmp_path: Path
) -> None:
    (tmp_path / "message").write_text("aé" * 10)
    assert with_message(run, tmp_path / "message", most=5).message == "aéa\N{REPLACEMENT CHARACTER}"
