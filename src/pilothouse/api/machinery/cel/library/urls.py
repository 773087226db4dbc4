"""Parts of URLs.

A URL is read as Go's net/url reads it for a request: absolute, or a path from the root. Sources:
apiserver/pkg/cel/library/urls.go, net/url of Go's documentation for what is wrong and how it is said.
"""

import re
import string
from dataclasses import dataclass

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.library.formatting import quoted
from pilothouse.api.machinery.cel.values import Opaque

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-_.~")
_KEPT = _UNRESERVED | frozenset("$&+,/:;=@")
"""What Go leaves as it is when it escapes a path."""

_ACCEPTED = _KEPT | frozenset("!'()*[]%")
"""What it takes for escaped already."""

_HOST = _UNRESERVED | frozenset("!$&'()*+,;=:[]<>\"%")


@dataclass(frozen=True, slots=True)
class Url(Opaque):
    """A parsed URL."""

    text: str
    scheme: str
    host: str
    path: str
    query: str

    type_name = "kubernetes.URL"

    def __str__(self) -> str:
        return self.text


def parse_request_uri(text: str) -> Url:
    """The URL. Raises ValueError with Go's words."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise _wrong(text, "net/url: invalid control character in URL")
    if not text:
        raise _wrong(text, "empty url")
    if text == "*":
        return Url(text, "", "", "*", "")
    plain, _, _ = text.partition("#")
    scheme, rest = _scheme(text, plain)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return Url(text, scheme, "", "", query)
        raise _wrong(text, "invalid URI for request")
    host = ""
    if scheme and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _host(text, authority), slash + path
    _check_escapes(text, rest)
    return Url(text, scheme, host, rest, query)


def _wrong(text: str, why: str) -> ValueError:
    return ValueError(f"parse {quoted(text)}: {why}")


def _scheme(text: str, plain: str) -> tuple[str, str]:
    if plain.startswith(":"):
        raise _wrong(text, "missing protocol scheme")
    match = _SCHEME.match(plain)
    if match is not None:
        return match[1].lower(), plain[match.end() :]
    head = re.split(r"[/?#]", plain, maxsplit=1)[0]
    if ":" in head and head[:1].isalpha() is False and not plain.startswith("/"):
        raise _wrong(text, "first path segment in URL cannot contain colon")
    return "", plain


def _host(text: str, authority: str) -> str:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        inner, bracket, port = host.rpartition("]")
        if not bracket:
            raise _wrong(text, "missing ']' in host")
        _check_port(text, port)
        return inner + bracket + port
    _check_escapes(text, host)
    for char in host:
        if char not in _HOST and ord(char) < 128:
            raise _wrong(text, f"invalid character {quoted(char)} in host name")
    colon = host.rfind(":")
    if colon >= 0:
        _check_port(text, host[colon:])
    return _unescaped(host)


def _check_port(text: str, port: str) -> None:
    if port and not (port.startswith(":") and (port[1:].isdigit() or port == ":")):
        raise _wrong(text, f"invalid port {quoted(port)} after host")


def _check_escapes(text: str, part: str) -> None:
    bad = _BAD_ESCAPE.search(part)
    if bad is not None:
        raise _wrong(text, f"invalid URL escape {quoted(bad[0])}")


def _unescaped(text: str) -> str:
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})", lambda escape: bytes([int(escape[1], 16)]), text.encode("utf-8", "surrogatepass")
    )
    return raw.decode("utf-8", "replace")


def _escaped_path(path: str) -> str:
    if all(char in _ACCEPTED for char in path):
        return path
    return "".join(
        char if char in _KEPT else "".join(f"%{byte:02X}" for byte in char.encode()) for char in _unescaped(path)
    )


def _query(url: Url) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in url.query.split("&"):
        if not pair or ";" in pair or _BAD_ESCAPE.search(pair):
            continue
        key, _, value = pair.replace("+", " ").partition("=")
        found.setdefault(_unescaped(key), []).append(_unescaped(value))
    return found


def _hostname(url: Url) -> str:
    return _split_host(url.host)[0]


def _split_host(host: str) -> tuple[str, str]:
    colon = host.rfind(":")
    port = ""
    if colon >= 0 and (host[colon + 1 :].isdigit() or host.endswith(":")):
        host, port = host[:colon], host[colon + 1 :]
    return (host[1:-1] if host.startswith("[") and host.endswith("]") else host), port


def _url(text: str) -> Url:
    try:
        return parse_request_uri(text)
    except ValueError as error:
        raise EvaluationError(f"URL parse error during conversion from string: {error}") from error


def _is_url(text: str) -> bool:
    try:
        parse_request_uri(text)
    except ValueError:
        return False
    return True


URLS = library(
    """
    url string_to_url (string) URL
    getScheme url_get_scheme URL.() string
    getHost url_get_host URL.() string
    getHostname url_get_hostname URL.() string
    getPort url_get_port URL.() string
    getEscapedPath url_get_escaped_path URL.() string
    getQuery url_get_query URL.() map(string, list(string))
    isURL is_url_string (string) bool
    """,
    {
        "url": _url,
        "getScheme": lambda url: url.scheme,
        "getHost": lambda url: url.host,
        "getHostname": _hostname,
        "getPort": lambda url: _split_host(url.host)[1],
        "getEscapedPath": lambda url: _escaped_path(url.path),
        "getQuery": _query,
        "isURL": _is_url,
    },
)
