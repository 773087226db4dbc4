"""The command line: every verb explains itself, and what cannot be done is one sentence and status 1."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pilothouse.cli.verbs
from pilothouse.cli import main as command

VERBS = sorted(file.stem for file in Path(pilothouse.cli.verbs.__file__).parent.glob("*.py") if file.stem != "__init__")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "pilothouse.cli", *words], capture_output=True, text=True, check=False)


def test_help_lists_every_verb() -> None:
    shown = run("--help").stdout
    assert [verb for verb in VERBS if f" {verb} " not in shown] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    shown = run(verb, "--help")
    assert shown.returncode == 0
    assert "Usage: pilothouse" in shown.stdout


@pytest.mark.parametrize(
    "words", [("launch",), ("up", "--prot", "1"), ("up", "--port", "0"), ("up", "--port", "99999")]
)
def test_a_wrong_command_line(words: tuple[str, ...]) -> None:
    wrong = run(*words)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("up", "--nodes", "2"), "more than one node on a machine is not there yet"),
        (("up", "--no-node", "--max-pods", "0", "--hostname-override", "n"), "options of the kubelet need a node"),
        (("image", "list"), "there is no cluster in"),
        (("image", "load", "/nowhere.tar"), "/nowhere.tar is not a file"),
        (("image", "build", "/nowhere", "-t", "a:1"), "there is no cluster in"),
        (("image", "build", "/nowhere", "-t", "A:1"), '"A:1" is not the name of an image'),
        (("image", "build", "/nowhere", "-t", "a:1", "--build-context", "x"), "give NAME=DIR"),
    ],
)
def test_what_cannot_be_done(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = run(*words, "--home", str(tmp_path / "home"))
    assert done.returncode == 1
    assert done.stderr.startswith("pilothouse: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (OSError(28, "No space left on device", "/home/x"), 1, "pilothouse: /home/x: No space left on device\n"),
    ],
)
def test_it_never_ends_in_a_traceback(
    raised: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_: str) -> None:
        raise raised

    monkeypatch.setattr(command, "application", failing)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == status
    assert said in capsys.readouterr().err


def test_a_home_that_may_not_be_listed_is_none_the_less_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(sys, "argv", ["pilothouse", "status", "--home", str(tmp_path)])
    with pytest.raises(SystemExit):
        command.main()
    assert "there is no cluster in" in capsys.readouterr().err


def test_what_nobody_knows_in_the_kubelet_s_configuration_is_named(tmp_path: Path) -> None:
    file = tmp_path / "kubelet.yaml"
    head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    file.write_text(f"{head}colour: red\nmaxPods: 5\n")
    done = run("up", "--no-node", "--kubelet-config", str(file), "--home", str(tmp_path / "home"))
    assert 'unknown field \\"colour\\"' in done.stderr
    assert "options of the kubelet need a node" in done.stderr.splitlines()[-1]


def test_version() -> None:
    assert "Kubernetes API v1.37." in run("version").stdout
