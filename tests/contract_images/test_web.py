"""The small server and the small client understand each other, and others."""

import http.client
import socket
from collections.abc import Callable, Iterator

import pytest

from contract_images.agnhost.fetch import fetch
from contract_images.agnhost.web import Disconnect, Reply, Request, Routes, error

Serve = Callable[[Routes], str]


def _tell(request: Request) -> Reply:
    return Reply(
        f"{request.method} {request.path} {request.form('a')} {request.headers.get('x-b')} {request.body.decode()}"
    )


def test_a_request_is_told_with_all_that_belongs_to_it(served: Serve) -> None:
    url = served({"/": _tell})
    answer = fetch(f"{url}/some/path?a=1&a=2", headers={"X-B": "c"})
    assert (answer.status, answer.body) == (200, b"GET /some/path 1 c ")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert fetch(f"{url}/?a=1", method="POST", body=b"a=x+y", headers=form).body == b"POST / x y None a=x+y"


def test_one_connection_carries_several_requests_also_in_chunks(served: Serve) -> None:
    host = served({"/": _tell}).removeprefix("http://")
    client = http.client.HTTPConnection(host)
    for body in (b"one", iter([b"t", b"wo"])):
        client.request("POST", "/x", body, encode_chunked=True)
        client_answer = client.getresponse().read()
        assert client_answer.startswith(b"POST /x  None ")
    assert client_answer.endswith(b"two")
    client.request("HEAD", "/x")
    assert client.getresponse().read() == b""
    client.close()


def test_a_path_that_nobody_has_is_not_found(served: Serve) -> None:
    answer = fetch(served({"/x": _tell}) + "/y")
    assert (answer.status, answer.body) == (404, b"404 page not found\n")


def test_a_handler_s_error_has_a_line_of_its_own(served: Serve) -> None:
    answer = fetch(served({"/": lambda _: error("no", 417)}) + "/")
    assert (answer.status, answer.body) == (417, b"no\n")


def test_pieces_come_as_they_are_made_and_end_the_connection(served: Serve) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    answer = fetch(served({"/": lambda _: Reply(pieces())}) + "/")
    assert (answer.body, answer.headers["connection"]) == (b"ab", "close")


def test_a_cut_connection_has_no_answer(served: Serve) -> None:
    def cut(request: Request) -> Reply:
        raise Disconnect

    url = served({"/": cut})
    with pytest.raises(ConnectionError):
        fetch(url + "/")


def test_a_client_that_says_nothing_harms_nobody(served: Serve) -> None:
    url = served({"/": _tell})
    host, _, port = url.removeprefix("http://").partition(":")
    socket.create_connection((host, int(port))).close()
    assert fetch(url + "/").status == 200
