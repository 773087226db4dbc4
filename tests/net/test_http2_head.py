import hpack
import pytest

from pilothouse.net.arrival import Arrival, Refusal
from pilothouse.net.door import Limits
from pilothouse.net.hpack_decoder import Field
from pilothouse.net.http import Response
from pilothouse.net.http2_head import KnownHeads, answer_block, read_head
from pilothouse.net.request_body import RequestBody
from pilothouse.runtime.clock import SystemClock

Fields = list[Field]
PSEUDO: Fields = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"host:6443"), (b":path", b"/a?b")]


def _read(fields: list[Field]) -> tuple[Arrival, Refusal | None]:
    return read_head(fields, lambda: RequestBody(SystemClock(), 1.0, lambda _: None), Limits(header_count=20))


def _without(name: bytes, *more: tuple[bytes, bytes]) -> list[Field]:
    return [*(field for field in PSEUDO if field[0] != name), *more]


def test_a_head() -> None:
    more = [(b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"te", b"trailers")]
    arrival, refusal = _read([*PSEUDO, *more])
    assert refusal is None
    assert (arrival.method, arrival.target) == ("GET", b"/a?b")
    assert arrival.headers == {"accept": "a, b", "cookie": "a=1; b=2", "te": "trailers", "host": "host:6443"}
    assert arrival.repeated == {"accept": ("a", "b")}


def test_host_may_stand_for_authority_or_repeat_it() -> None:
    for fields in (_without(b":authority", (b"host", b"host:6443")), [*PSEUDO, (b"host", b"host:6443")]):
        arrival, refusal = _read(fields)
        assert (refusal, arrival.headers["host"]) == (None, "host:6443")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (_without(b":method"), 400),
        (_without(b":scheme"), 400),
        (_without(b":path"), 400),
        (_without(b":authority"), 400),
        (_without(b":path", (b":path", b"")), 400),
        (_without(b":path", (b":path", b"*")), 400),
        (_without(b":path", (b":path", b"http://x/a")), 400),
        (_without(b":path", (b":path", b"/a b")), 400),
        (_without(b":path", (b":path", b"/a#b")), 400),
        (_without(b":scheme", (b":scheme", b"ftp")), 400),
        (_without(b":method", (b":method", b"CONNECT")), 400),
        (_without(b":method", (b":method", b"get")), 400),
        (_without(b":method", (b":method", b"G T")), 400),
        (_without(b":authority", (b":authority", b"user@host/")), 400),
        ([*PSEUDO, (b":path", b"/b")], 400),
        ([*PSEUDO, (b":status", b"200")], 400),
        ([*PSEUDO, (b":protocol", b"websocket")], 400),
        ([(b"a", b"b"), *PSEUDO], 400),
        ([*PSEUDO, (b"host", b"other")], 400),
        ([*PSEUDO, (b"Accept", b"a")], 400),
        ([*PSEUDO, (b"connection", b"close")], 400),
        ([*PSEUDO, (b"upgrade", b"websocket")], 400),
        ([*PSEUDO, (b"keep-alive", b"5")], 400),
        ([*PSEUDO, (b"transfer-encoding", b"chunked")], 400),
        ([*PSEUDO, (b"te", b"gzip")], 400),
        ([*PSEUDO, (b"a", b"b\r\nc: d")], 400),
        ([*PSEUDO, (b"a", b"b\0")], 400),
        ([*PSEUDO, (b"a", b" b")], 400),
        ([*PSEUDO, (b"a b", b"c")], 400),
        ([*PSEUDO, (b"", b"c")], 400),
        ([*PSEUDO, (b"content-length", b"1"), (b"content-length", b"2")], 400),
        ([*PSEUDO, (b"content-length", b"1, 1")], 400),
        ([*PSEUDO, (b"content-length", b"+1")], 400),
        ([*PSEUDO, (b"authorization", b"a"), (b"authorization", b"b")], 400),
        ([*PSEUDO, (b"expect", b"miracle")], 417),
        ([*PSEUDO, *[(b"a%d" % n, b"b") for n in range(21)]], 431),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(fields: list[Field], status: int) -> None:
    _, refusal = _read(fields)
    assert refusal is not None
    assert refusal.status == status


def test_a_head_that_came_before_is_read_as_it_was() -> None:
    def new_body() -> RequestBody:
        return RequestBody(SystemClock(), 1.0, lambda _: None)

    heads = KnownHeads(Limits(header_count=20))
    more = [(b"accept", b"a"), (b"accept", b"b"), (b"expect", b"100-continue")]
    for path in (b"/a", b"/b", b"/a"):
        fields = [*_without(b":path", (b":path", path)), *more]
        arrival, refusal = heads.read(fields, new_body)
        expected, _ = read_head(fields, new_body, Limits())
        assert refusal is None
        assert (arrival.target, arrival.new_body) == (path, new_body)
        for name in ("method", "headers", "repeated", "expects", "size", "count", "modern", "complete"):
            assert getattr(arrival, name) == getattr(expected, name)


@pytest.mark.parametrize(
    "fields",
    [
        _without(b":path", (b":path", b"/a b")),
        [*PSEUDO, (b":path", b"/b")],
        [*_without(b":path"), (b"a", b"b"), (b":path", b"/b")],
        _without(b":path"),
        _without(b":method"),
    ],
)
def test_what_is_refused_is_not_let_through_because_something_like_it_was_read(fields: Fields) -> None:
    heads = KnownHeads(Limits())
    for known in (PSEUDO, [*PSEUDO, (b"a", b"b")], fields):
        _, refusal = heads.read(known, lambda: RequestBody(SystemClock(), 1.0, lambda _: None))
        assert (refusal is None) is (known is not fields)


def test_few_heads_are_remembered_and_no_large_ones() -> None:
    heads = KnownHeads(Limits())
    for number in range(100):
        heads.read([*PSEUDO, (b"a", b"%d" % number)], lambda: RequestBody(SystemClock(), 1.0, lambda _: None))
        assert len(heads._known) <= 16
    before = len(heads._known)
    heads.read([*PSEUDO, (b"a", b"b" * 10_000)], lambda: RequestBody(SystemClock(), 1.0, lambda _: None))
    assert len(heads._known) == before


@pytest.mark.parametrize(
    ("response", "length", "expected"),
    [
        (Response(200, b"{}", {"A-B": "c"}), 2,
         [(b"content-type", b"application/json"), (b"a-b", b"c"), (b"content-length", b"2")]),
        (Response(200, repeated=(("Set-Cookie", "a"), ("Set-Cookie", "b"))), None,
         [(b"content-type", b"application/json"), (b"set-cookie", b"a"), (b"set-cookie", b"b")]),
        (Response(304, headers={"ETag": "x"}), 0, [(b"etag", b"x")]),
        (Response(404, headers={"Connection": "close", "Upgrade": "x"}), 0, [(b"content-length", b"0")]),
    ],
)  # fmt: skip
def test_answers(response: Response, length: int | None, expected: list[Field]) -> None:
    status = (b":status", b"%d" % response.status)
    decoder = hpack.Decoder()
    decoder.header_table_size = decoder.max_allowed_table_size = 0
    fields = [tuple(field) for field in decoder.decode(answer_block(response, length, "now"), raw=True)]
    assert fields == [status, *expected, (b"date", b"now")]


@pytest.mark.parametrize("headers", [{"a": "b\r\nc"}, {"a\n": "b"}, {"a": "\0"}])
def test_line_breaks_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        answer_block(Response(200, headers=headers), 0, "now")
