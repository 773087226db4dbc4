import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from pilothouse.apiserver.streaming.links import HtmlLinks, Rewriter, RewrittenBody, join

PREFIX = "/api/v1/namespaces/n/pods/p/proxy"
REWRITER = Rewriter(PREFIX, "10.0.0.1:80", "front:6443")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/a", f"{PREFIX}/a"),
        ("/a/", f"{PREFIX}/a/"),
        ("/", f"{PREFIX}/"),
        ("/a/../b?q=/c#d", f"{PREFIX}/b?q=/c#d"),
        ("http://10.0.0.1:80/a", f"{PREFIX}/a"),
        ("//10.0.0.1:80/a", f"{PREFIX}/a"),
        ("https://front:6443/a", f"https://front:6443{PREFIX}/a"),
        (f"{PREFIX}/a", f"{PREFIX}/a"),
        (PREFIX, PREFIX),
        (f"{PREFIX}2/a", f"{PREFIX}{PREFIX}2/a"),
        (f"https://front:6443{PREFIX}/a", f"https://front:6443{PREFIX}/a"),
        ("http://elsewhere/a", "http://elsewhere/a"),
        ("http://10.0.0.1/a", "http://10.0.0.1/a"),
        ("a/b", "a/b"),
        ("", ""),
        ("#top", "#top"),
        ("mailto:a@b", "mailto:a@b"),
        ("http://[broken/a", "http://[broken/a"),
    ],
)
def test_links(link: str, expected: str) -> None:
    assert REWRITER.rewrite(link) == expected


@pytest.mark.parametrize(
    ("parts", "joined"),
    [(("/a", ""), "/a"), (("/a", "/b/"), "/a/b/"), (("//a//", "b"), "/a/b"), (("/a", "/"), "/a/"), (("/", "/"), "/")],
)
def test_paths_are_joined_cleanly(parts: tuple[str, str], joined: str) -> None:
    assert join(*parts) == joined


PAGES = [
    (b'<a href="/x">', b'<a href="%b/x">'),
    (b"<A class=b HREF='/x' id=c>", b'<A class=b HREF="%b/x" id=c>'),
    (b"<img src=/x><img alt=/x>", b'<img src="%b/x"><img alt=/x>'),
    (b'<form action = "/x?a=1&amp;b=2">', b'<form action="%b/x?a=1&amp;b=2">'),
    (b'<link href="/x"/>', b'<link href="%b/x"/>'),
    (b'<a href="x/y"><div href="/x">', b'<a href="x/y"><div href="/x">'),
    (b'<a title="> href=/y" href="/x">', b'<a title="> href=/y" href="%b/x">'),
    (b'<!-- <a href="/x"> --><a href="/x">', b'<!-- <a href="/x"> --><a href="%b/x">'),
    (b"<script src=/s>'<a href=\"/x\">'</SCRIPT><a href=/x>",
     b"<script src=\"%b/s\">'<a href=\"/x\">'</SCRIPT><a href=\"%b/x\">"),
    (b"<title><a href=/x></title>", b"<title><a href=/x></title>"),
    (b"<!DOCTYPE html><html><body>1 < 2 && 3 > 2</body></html>", None),
    (b"<a href='/x", None),
    (b"<", None),
    (b"text only", None),
    (b"", None),
    ('<a href="/ü">ü'.encode(), '<a href="%b/ü">ü'.encode()),
    (b'<a href="/\xff">', b'<a href="%b/\xff">'),
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("page", "expected"), PAGES)
def test_pages_in_pieces_of_any_size(page: bytes, expected: bytes | None, size: int) -> None:
    links = HtmlLinks(REWRITER)
    found = b"".join(links.feed(page[start : start + size]) for start in range(0, len(page), size))
    found += links.feed(b"", last=True)
    assert found == (page if expected is None else expected.replace(b"%b", PREFIX.encode()))


@pytest.mark.parametrize(
    "page", [b"<a " + b"x" * 100_000, b'<a href="' + b"/" * 100_000, b"<a" + b" " * 100_000, b"<!--" + b"-" * 100_000]
)
def test_what_is_held_back_is_bounded_and_nothing_is_lost(page: bytes) -> None:
    links = HtmlLinks(REWRITER)
    passed = 0
    for start in range(0, len(page), 1000):
        passed += len(links.feed(page[start : start + 1000]))
        assert start + 1000 - passed <= 20_000
    assert passed + len(links.feed(b"", last=True)) == len(page)


class Body(AsyncIterator[bytes]):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.closed = False

    async def __anext__(self) -> bytes:
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)

    async def aclose(self) -> None:
        self.closed = True


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("", bytes), ("gzip", gzip.compress), ("deflate", _deflated)],
    ids=["none", "gzip", "deflate"],
)
def test_encoded_pages_come_out_plain(encoding: str, pack: type[bytes]) -> None:
    packed = pack(b"<p>" * 200_000 + b"<a href=/x>")

    async def main() -> None:
        body = RewrittenBody(Body(packed[:20], packed[20:]), REWRITER, encoding)
        pieces = [piece async for piece in body]
        assert b"".join(pieces) == b"<p>" * 200_000 + f'<a href="{PREFIX}/x">'.encode()
        assert not encoding or max(map(len, pieces)) < 300_000

    asyncio.run(main())


@pytest.mark.parametrize("sent", [b"plain", gzip.compress(b"<p>cut off")[:-4]])
def test_a_body_that_is_not_what_it_says_breaks_off_and_is_closed(sent: bytes) -> None:
    async def main() -> None:
        source = Body(sent)
        body = RewrittenBody(source, REWRITER, "gzip")
        with pytest.raises(ConnectionError):
            async for _ in body:
                pass
        await body.aclose()
        assert source.closed

    asyncio.run(main())
