"""Links in what a proxied backend answers: those to itself lead back through the proxy. Pure.

A page knows nothing of the path it is seen under, so its absolute links would leave the proxy. Redirects and the links
of HTML get the proxy's prefix; whatever leads elsewhere stays. HTML is scanned as it comes: tags are few and short,
everything else passes through untouched. (apimachinery/pkg/util/proxy/transport.go.)
"""

import posixpath
import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import urlsplit, urlunsplit

_LINKS = {
    "a": ("href",), "applet": ("codebase",), "area": ("href",), "audio": ("src",), "base": ("href",),
    "blockquote": ("cite",), "body": ("background",), "button": ("formaction",), "command": ("icon",),
    "del": ("cite",), "embed": ("src",), "form": ("action",), "frame": ("longdesc", "src"), "head": ("profile",),
    "html": ("manifest",), "iframe": ("longdesc", "src"), "img": ("longdesc", "src", "usemap"),
    "input": ("src", "usemap", "formaction"), "ins": ("cite",), "link": ("href",),
    "object": ("classid", "codebase", "data", "usemap"), "q": ("cite",), "script": ("src",), "source": ("src",),
    "video": ("poster", "src"),
}  # fmt: skip
"""Which attributes of which elements are links."""
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"})
"""Elements in which a tag is text, up to their own end."""
_OPENING = re.compile(rb"<(?:[!/?A-Za-z]|\Z)")
_TAG = re.compile(rb"""<(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_NAME = re.compile(rb"<[A-Za-z][^\s/>]*+")
_PART = re.compile(rb"""([^\s"'<>/=]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?+|[\s"'<>/=]++""")
"""An attribute, or what stands between two."""
_MOST = 16 * 1024
"""A longer tag is passed on as it is."""
_SLICE = 256 * 1024
ENCODINGS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": -zlib.MAX_WBITS}
"""Encodings that can be read, with what zlib calls them. HTML in any other keeps its links."""


@dataclass(frozen=True, slots=True)
class Rewriter:
    """How one page's links are rewritten."""

    prefix: str
    """The path of the proxy, without a slash at its end."""
    backend: str
    """Host and port of the backend, as its own links may name it."""
    asked: str
    """The host that the client asked for."""

    def rewrite(self, link: str) -> str:
        """The link as the client must follow it."""
        try:
            scheme, host, path, query, fragment = urlsplit(link)
        except ValueError:
            return link
        if not path.startswith("/") or host not in ("", self.backend, self.asked):
            return link
        if host != self.asked:
            scheme = host = ""
        if path != self.prefix and not path.startswith(f"{self.prefix}/"):
            path = join(self.prefix, path)
        return urlunsplit((scheme, host, path, query, fragment))


def join(*paths: str) -> str:
    """One clean path of several; a slash at the very end stays."""
    joined = posixpath.normpath("/" + "/".join(paths))
    joined = "/" + joined.lstrip("/")
    return joined + "/" if paths[-1].endswith("/") and joined != "/" else joined


class HtmlLinks:
    """Rewrites the links of one document, fed piece by piece. What is held back is bounded."""

    def __init__(self, rewriter: Rewriter) -> None:
        self._rewriter = rewriter
        self._rest = b""
        self._until = b""
        """While set, everything up to this passes: the end of a comment, of an end tag, of a script."""

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        """What can be passed on now that `data` has come."""
        text, position = self._rest + data, 0
        lower = text.lower()
        done: list[bytes] = []
        while True:
            begin, waiting = position, self._until
            position = self._skip(lower, begin) if waiting else self._to_tag(text, begin)
            done.append(text[begin:position])
            if self._until:
                break
            if waiting:
                continue
            tag = self._tag(text, position)
            if tag is None:
                break
            if tag:
                done.append(self._rewritten(tag))
                position += len(tag)
        self._rest = text[position:]
        if last or len(self._rest) > _MOST:
            done.append(self._rest)
            self._rest = b""
        return b"".join(done)

    def _skip(self, lower: bytes, begin: int) -> int:
        """The position behind what is waited for, or of what may be its beginning."""
        found = lower.find(self._until, begin)
        if found < 0:
            return max(begin, len(lower) - len(self._until) + 1)
        end = found + len(self._until)
        self._until = b""
        return end

    def _to_tag(self, text: bytes, begin: int) -> int:
        """The position of the next tag, or of what may become one."""
        found = _OPENING.search(text, begin)
        return found.start() if found is not None else len(text)

    def _tag(self, text: bytes, begin: int) -> bytes | None:
        """The start tag at `begin`; empty when it is something else, whose end is then waited for; None for nothing."""
        if text.startswith(b"<!--", begin):
            self._until = b"-->"
        elif b"<!--".startswith(text[begin : begin + 4]):
            return None
        elif text[begin + 1 : begin + 2] in (b"/", b"!", b"?"):
            self._until = b">"
        else:
            found = _TAG.match(text, begin)
            return found[0] if found is not None else None
        return b""

    def _rewritten(self, tag: bytes) -> bytes:
        found = _NAME.match(tag)
        name = found[0][1:].decode("ascii", "replace").lower() if found is not None else ""
        if name in _RAW:
            self._until = f"</{name}".encode()
        wanted = _LINKS.get(name)
        if wanted is None:
            return tag

        def attribute(part: re.Match[bytes]) -> bytes:
            key, value = part[1], part[2]
            if not value or b"/" not in value or key.decode("latin-1").lower() not in wanted:
                return part[0]
            link = unescape(value.strip(b"\"'").decode("utf-8", "surrogateescape"))
            target = self._rewriter.rewrite(link)
            if target == link:
                return part[0]
            return b'%b="%b"' % (key, escape(target).encode("utf-8", "surrogateescape"))

        return tag[: len(name) + 1] + _PART.sub(attribute, tag[len(name) + 1 :])


class RewrittenBody(AsyncIterator[bytes]):
    """The body of an HTML answer with its links rewritten, and out of the encoding that it came in."""

    def __init__(self, body: AsyncIterator[bytes], rewriter: Rewriter, encoding: str) -> None:
        self._body = body
        self._links = HtmlLinks(rewriter)
        self._inflate = zlib.decompressobj(ENCODINGS[encoding]) if encoding else None
        self._waiting = b""
        self._ended = False

    async def __anext__(self) -> bytes:
        while not self._ended:
            data = self._waiting
            if not data:
                try:
                    data = await self._body.__anext__()
                except StopAsyncIteration:
                    self._ended = True
                    data = b""
            found = self._links.feed(self._inflated(data), last=self._ended)
            if found:
                return found
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Drop the rest."""
        close = getattr(self._body, "aclose", None)
        if close is not None:
            await close()

    def _inflated(self, data: bytes) -> bytes:
        """What `data` says, a slice at a time: a small answer may claim to be a large page."""
        if self._inflate is None:
            return data
        try:
            found = self._inflate.decompress(data, _SLICE)
            if self._ended:
                found += self._inflate.flush()
        except zlib.error as error:
            raise ConnectionAbortedError("the backend's answer is not encoded as it says") from error
        if self._ended and not self._inflate.eof:
            raise ConnectionAbortedError("the backend's answer broke off")
        self._waiting = self._inflate.unconsumed_tail
        return found
