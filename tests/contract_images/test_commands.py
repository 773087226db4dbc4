"""The small sub-commands, and the program that calls them."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contract_images.agnhost.commands import entrypoint_tester, liveness, nonewprivs, test_webserver
from contract_images.agnhost.fetch import fetch
from contract_images.agnhost.web import Routes

TESTS = Path(__file__).parents[1]
START = "import sys; from contract_images.agnhost.main import main; sys.exit(main(sys.argv[1:]))"
Serve = Callable[[Routes], str]


def _start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-SE", "-c", START, *words]
    return subprocess.Popen(command, cwd=TESTS, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_first_argument_names_the_sub_command() -> None:
    said, complaints = _start("entrypoint-tester", "--any", "thing").communicate()
    assert (said, complaints) == ("[-c entrypoint-tester --any thing]\n", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["unheard-of"], 'Error: unknown command "unheard-of" for "app"\n'),
        (["mounttest", "--colour=red"], "Error: unknown flag: --colour=red\n"),
    ],
)
def test_what_nobody_knows_is_refused(words: list[str], says: str) -> None:
    process = _start(*words)
    assert process.communicate() == ("", says)
    assert process.returncode == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 2), (signal.SIGINT, 1), (signal.SIGHUP, 2)])
def test_pause_waits_for_a_signal(number: signal.Signals, status: int) -> None:
    process = _start("pause")
    assert process.stdout is not None
    assert process.stdout.readline() == "Paused\n"
    process.send_signal(number)
    process.communicate()
    assert process.returncode == status


def test_entrypoint_tester_prints_every_argument(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/agnhost-2", "x"])
    assert entrypoint_tester.run(["a", "b c"]) == 0
    assert capsys.readouterr().out == "[/agnhost-2 entrypoint-tester a b c]\n"


def test_nonewprivs_tells_the_effective_user(capsys: pytest.CaptureFixture[str]) -> None:
    assert nonewprivs.run([]) == 0
    assert capsys.readouterr().out.startswith("Effective uid: ")


def test_liveness_is_well_for_ten_seconds(served: Serve) -> None:
    now = 5.0
    url = served(liveness.routes(5.0, lambda: now))
    assert (fetch(f"{url}/healthz").status, fetch(f"{url}/healthz").body) == (200, b"ok")
    now = 15.5
    answer = fetch(f"{url}/healthz")
    assert (answer.status, answer.body) == (500, b"error: 10.5")
    assert fetch(f"{url}/started").body == b"10.500000000s"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("redirect?loc=%2Fhealthz", 302, ""),
        ("sleep-headers", 500, "Slept for 0 secs\n"),
        ("sleep-headers?code=200", 200, "Slept for 0 secs\n"),
        ("sleep-body?code=200", 200, "Sleeping for 0 secs\nSlept for 0 secs\n"),
    ],
)
def test_liveness_misbehaves_as_it_is_told(path: str, status: int, body: str, served: Serve) -> None:
    answer = fetch(f"{served(liveness.routes(0.0))}/{path}")
    assert (answer.status, answer.body.decode()) == (status, body)


def test_liveness_makes_bodies_of_a_size_and_cuts_connections(served: Serve) -> None:
    url = served(liveness.routes(0.0))
    assert len(fetch(f"{url}/slow-response?size=3&code=200").body) == 3 * 1024
    assert fetch(f"{url}/disconnect-body?code=200&size=1").body.endswith(b"Disconnecting\n")
    with pytest.raises(ConnectionError):
        fetch(f"{url}/disconnect-headers")


def test_test_webserver_serves_files_and_lists_directories(tmp_path: Path, served: Serve) -> None:
    (tmp_path / "data.json").write_text('{"image": "x"}')
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("home")
    url = served({"/": test_webserver.files(tmp_path)})
    answer = fetch(f"{url}/data.json")
    assert (answer.body, answer.headers["content-type"]) == (b'{"image": "x"}', "application/json")
    assert fetch(f"{url}/").body == b'<pre>\n<a href="data.json">data.json</a>\n<a href="site/">site/</a>\n</pre>\n'
    assert fetch(f"{url}/site/").body == b"home"
    assert fetch(f"{url}/none").status == 404
    assert fetch(f"{url}/../none").status == 400
