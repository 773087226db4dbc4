"""`curl` as far as tests use it in containers: get, post, print the status, give up after a time."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from contract_images.agnhost.fetch import Answer, fetch
from contract_images.agnhost.flags import FlagError, Flags

if TYPE_CHECKING:
    import ssl

_SHORT = {
    "s": "silent", "q": "disable", "g": "globoff", "v": "verbose", "k": "insecure", "o": "output", "w": "write-out",
    "m": "max-time", "X": "request", "d": "data", "H": "header", "i": "include", "f": "fail", "S": "show-error",
    "L": "location", "I": "head", "4": "ipv4", "6": "ipv6",
}  # fmt: skip
_SWITCHES = ("silent", "disable", "globoff", "verbose", "insecure", "include", "fail", "show-error", "location", "head")
_TEXTS = ("output", "write-out", "max-time", "connect-timeout", "request", "data", "header", "retry", "resolve")
_LONG = 120.0
_HOPS = 10
_NO_ANSWER, _USAGE, _HTTP_ERROR, _RESOLVE, _TIMEOUT = 7, 2, 22, 6, 28


def main(arguments: Sequence[str]) -> int:
    """Ask each URL and print what it answers; the status is curl's."""
    separate = [each for word in arguments for each in _separate(word)]
    try:
        flags = Flags(
            separate, {**dict.fromkeys((*_SWITCHES, "ipv4", "ipv6"), False), **dict.fromkeys(_TEXTS, "")}, _SHORT
        )
    except FlagError as error:
        print(f"curl: {error}", file=sys.stderr)
        return _USAGE
    return max([_one(flags, url if "://" in url else f"http://{url}") for url in flags.words], default=_USAGE)


def _separate(word: str) -> list[str]:
    """-sk as -s -k, and -ofile as -o file."""
    if word.startswith("--") or not word.startswith("-") or len(word) < 3:
        return [word]
    first, rest = word[1], word[2:]
    if _SHORT.get(first) in _TEXTS:
        return [f"-{first}={rest}"]
    return [f"-{first}", *_separate(f"-{rest}")]


def _one(flags: Flags, url: str) -> int:
    try:
        answer = _asked(flags, url)
    except OSError as error:
        if not flags.on("silent") or flags.on("show-error"):
            print(f"curl: {error}", file=sys.stderr)
        _write_out(flags, 0)
        return (
            _TIMEOUT
            if isinstance(error, TimeoutError)
            else _RESOLVE
            if type(error).__name__ == "gaierror"
            else _NO_ANSWER
        )
    if flags.on("fail") and answer.status >= 400:
        print(f"curl: (22) The requested URL returned error: {answer.status}", file=sys.stderr)
        _write_out(flags, answer.status)
        return _HTTP_ERROR
    head = f"HTTP/1.1 {answer.status}\r\n" + "".join(f"{name}: {text}\r\n" for name, text in answer.headers.items())
    shown = (f"{head}\r\n".encode() if flags.on("include") or flags.on("head") else b"") + answer.body
    if output := flags.text("output"):
        with open(output, "wb") as file:  # noqa: PTH123 - fast start
            file.write(shown)
    else:
        sys.stdout.buffer.write(shown)
        sys.stdout.flush()
    _write_out(flags, answer.status)
    return 0


def _asked(flags: Flags, url: str) -> Answer:
    header = flags.text("header").partition(":")
    data = flags.text("data").encode()
    headers = {header[0]: header[2].strip()} if header[0] else {}
    if data and "Content-Type" not in headers:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    method = flags.text("request") or ("HEAD" if flags.on("head") else "POST" if data else "GET")
    seconds = float(flags.text("max-time") or flags.text("connect-timeout") or _LONG)
    for _ in range(_HOPS):
        tls = _unverified() if flags.on("insecure") and url.startswith("https:") else None
        answer = fetch(url, method=method, body=data, headers=headers, seconds=seconds, tls=tls)
        if not flags.on("location") or answer.status not in (301, 302, 303, 307, 308):
            break
        url = answer.headers["location"]
    return answer


def _unverified() -> "ssl.SSLContext":
    import ssl  # what a plain request need not wait for

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _write_out(flags: Flags, status: int) -> None:
    text = flags.text("write-out").replace("%{http_code}", f"{status:03}").replace("%{response_code}", f"{status:03}")
    sys.stdout.write(text.replace("\\n", "\n"))
    sys.stdout.flush()
