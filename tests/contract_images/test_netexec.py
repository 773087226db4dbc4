"""`netexec` answers what upstream's answers."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import quote

import pytest

from contract_images.agnhost.commands.netexec import Netexec, end_datagrams
from contract_images.agnhost.fetch import fetch
from contract_images.agnhost.web import Routes

ME = socket.gethostname()
Serve = Callable[[Routes], str]


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("hostname", 200, ME),
        ("hostName", 200, ME),
        ("echo?msg=some%20text", 200, "some text"),
        ("echo?msg=x&code=503", 503, "x"),
        ("echo?msg=x&code=y", 200, "argument 'code' must be an integer or empty, got \"y\"\n"),
        ("header?key=X-Mine", 200, "yes"),
        ("header?key=X-Other", 200, ""),
        ("shell?cmd=echo%20a%20%26%26%20exit%203", 200, '{"error":"exit status 3","output":"a\\n"}'),
        ("shell?shellCommand=" + quote("echo '<&>' >&2"), 200, '{"output":"\\u003c\\u0026\\u003e\\n"}'),
        ("exit?wait=x", 200, "argument 'wait' must be a valid golang duration or empty, got \"x\"\n"),
        ("exit?timeout=1&wait=1s", 200, "argument 'timeout' must be a valid golang duration or empty, got \"1\"\n"),
        ("exit?code=x", 200, "argument 'code' must be an integer [0-127] or empty, got \"x\"\n"),
        ("healthz", 412, ""),
        ("dial?host=127.0.0.1&port=1", 400, "request parameter not specified. <nil>\n"),
        ("dial?host=127.0.0.1&port=1&request=x&protocol=icmp", 400, "unsupported protocol. icmp\n"),
        ("upload", 200, '{"error":"Unable to upload file."}'),
    ],
)
def test_paths_and_their_answers(path: str, status: int, body: str, served: Serve) -> None:
    answer = fetch(f"{served(Netexec().routes)}/{path}", headers={"X-Mine": "yes"})
    assert (answer.status, answer.body.decode()) == (status, body)


def test_the_root_tells_the_time_and_clientip_who_asks(served: Serve) -> None:
    url = served(Netexec().routes)
    assert fetch(f"{url}/").body.startswith(b"NOW: 2")
    host, _, port = fetch(f"{url}/clientip").body.decode().partition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


@pytest.mark.parametrize(("code", "status"), [("", 302), ("&code=307", 307)])
def test_a_redirect_goes_where_it_is_told(code: str, status: int, served: Serve) -> None:
    answer = fetch(f"{served(Netexec().routes)}/redirect?location=/echo%3Fmsg=a{code}")
    assert (answer.status, answer.headers["location"]) == (status, "/echo?msg=a")


def test_an_override_answers_whatever_is_asked(served: Serve) -> None:
    answer = fetch(f"{served(Netexec('/echo?msg=x&code=404').routes)}/hostname")
    assert (answer.status, answer.body) == (404, b"x")


def test_dial_asks_others_over_http_and_udp(served: Serve) -> None:
    netexec = Netexec()
    datagrams = netexec.start_udp("127.0.0.1", 0)
    port = datagrams.getsockname()[1]
    url = served(netexec.routes)
    assert fetch(f"{url}/healthz").status == 200
    own = url.rpartition(":")[2]
    dialled = fetch(f"{url}/dial?host=127.0.0.1&port={own}&request=hostname&tries=2").body
    assert json.loads(dialled) == {"responses": [ME, ME]}
    dialled = fetch(f"{url}/dial?host=127.0.0.1&port={port}&protocol=udp&request=echo%20Hello").body
    assert json.loads(dialled) == {"responses": ["hello"]}
    dialled = fetch(f"{url}/dial?host=127.0.0.1&port={port}&protocol=udp&request=clientip").body
    assert json.loads(dialled)["responses"][0].startswith("127.0.0.1:")
    dialled = fetch(f"{url}/dial?host=127.0.0.1&port=1&request=hostname").body
    assert [*json.loads(dialled)] == ["errors"]
    end_datagrams(datagrams)


@pytest.mark.parametrize(
    ("path", "code"), [("exit?code=3", 3), ("exit", 0), ("shutdown", 0), ("exit?code=4&timeout=1s", 4)]
)
def test_it_ends_when_it_is_told_to(path: str, code: int, served: Serve) -> None:
    left: SimpleQueue[int] = SimpleQueue()
    fetch(f"{served(Netexec(leave=left.put).routes)}/{path}")
    assert left.get(timeout=60) == code


def test_an_upload_is_kept(served: Serve, tmp_path: Path) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsome\r\ntext\r\n--x--\r\n'
    url = served(Netexec(uploads=tmp_path).routes)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = fetch(f"{url}/upload", method="POST", body=form, headers=headers)
    assert answer.status == 201
    assert Path(json.loads(answer.body)["output"]).read_bytes() == b"some\r\ntext"


def test_datagrams_come_over_either_family() -> None:
    datagrams = Netexec().start_udp("", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", datagrams.getsockname()[1]))
        asking.settimeout(60)
        asking.send(b"ClientIP\n")
        host, _, port = asking.recv(100).decode().rpartition(":")
        assert (host, int(port)) == ("127.0.0.1", asking.getsockname()[1])
    end_datagrams(datagrams)
