"""`curl` does what tests in containers ask of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract_images.agnhost.commands.netexec import Netexec
from contract_images.agnhost.curl import main
from contract_images.agnhost.web import Reply, Request

Serve = Callable[..., str]


def _told(request: Request) -> Reply:
    sent = request.headers
    return Reply(f"{request.method} {sent.get('x-a')} {sent.get('content-type')} {request.body.decode()}", 418)


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["-q", "-s", "-g"], "GET None None "),
        (["-sk", "--connect-timeout", "15", "-m", "5"], "GET None None "),
        (["-XPUT", "-H", "X-A: b", "-d", "c"], "PUT b application/x-www-form-urlencoded c"),
        (["--data", "c", "--header=Content-Type: text/x"], "POST None text/x c"),
        (["-s", "-w", r"\n%{http_code}"], "GET None None \n418"),
    ],
)
def test_it_asks_and_prints(words: list[str], printed: str, served: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    url = served({"/": _told})
    assert main([*words, url.removeprefix("http://") + "/x?y=z"]) == 0
    assert capsys.readouterr().out == printed


def test_it_writes_a_file_and_the_status(served: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-so", str(tmp_path / "body"), "-w", "%{http_code}", served({"/": _told})]) == 0
    assert ((tmp_path / "body").read_text(), capsys.readouterr().out) == ("GET None None ", "418")


def test_it_shows_the_head_and_follows(served: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    url = served(Netexec().routes)
    assert main(["-i", f"{url}/redirect?location={url}/echo?msg=a"]) == 0
    assert capsys.readouterr().out.startswith("HTTP/1.1 302\r\n")
    assert main(["-L", f"{url}/redirect?location={url}/echo?msg=a"]) == 0
    assert capsys.readouterr().out == "a"


@pytest.mark.parametrize(
    ("words", "status"),
    [(["-s", "http://127.0.0.1:1/"], 7), (["--unheard-of"], 2), ([], 2), (["-s", "http://nowhere.invalid/"], 6)],
)
def test_what_fails_has_curl_s_status(words: list[str], status: int) -> None:
    assert main(words) == status


def test_a_refusal_fails_if_it_is_to(served: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-f", served({"/": _told})]) == 22
    assert capsys.readouterr().out == ""
