import pytest

from pilothouse.net.arrival import Arrival
from pilothouse.net.request_body import RequestBody
from pilothouse.runtime.clock import SystemClock


def _arrival(target: bytes = b"/") -> Arrival:
    told: list[bool] = []
    arrival = Arrival(lambda: RequestBody(SystemClock(), 1.0, told.append))
    arrival.target = target
    return arrival


def test_names_are_lower_case_and_repeated_headers_joined() -> None:
    arrival = _arrival()
    for name, value in ((b"Host", b"x"), (b"X-Remote-GROUP", b"a"), (b"x-remote-group", b"b")):
        assert arrival.add_header(name, value) is None
    assert arrival.headers == {"host": "x", "x-remote-group": "a, b"}
    assert arrival.repeated == {"x-remote-group": ("a", "b")}
    arrival.add_header(b"X-Remote-Group", b"c, d")
    assert arrival.repeated == {"x-remote-group": ("a", "b", "c, d")}


@pytest.mark.parametrize("name", [b"Host", b"content-length", b"Transfer-Encoding", b"Authorization", b"Content-Type"])
def test_headers_that_decide_come_once(name: bytes) -> None:
    arrival = _arrival()
    assert arrival.add_header(name, b"1") is None
    refusal = arrival.add_header(name.upper(), b"1")
    assert refusal is not None
    assert refusal.status == 400


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        (b"/", True),
        (b"/a/b?c=%20d&e='f'", True),
        (b"//a", True),  # the handler's to refuse, in its own words
        (b"", False),
        (b"*", False),
        (b"http://x/", False),
        (b"x:443", False),
        (b"/a#b", False),
        (b"/a b", False),
        (b"/\xc3\xa4", False),
    ],
)
def test_targets_are_absolute_paths(target: bytes, allowed: bool) -> None:
    arrival = _arrival(target)
    arrival.add_header(b"Host", b"x")
    assert (arrival.check_head("1.1") is None) is allowed


def test_an_old_client_need_not_name_the_host() -> None:
    arrival = _arrival()
    assert arrival.check_head("1.0") is None
    assert not arrival.modern
