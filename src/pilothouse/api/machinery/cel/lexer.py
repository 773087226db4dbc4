"""From text to tokens.

One regular expression knows all of them. Literals are decoded here, with the escapes of the CEL specification
(google/cel-spec, doc/langdef.md, "String and Bytes Values"); what no token begins with is noted and skipped, as
upstream's lexer does.
"""

import re
from dataclasses import dataclass

from pilothouse.api.machinery.cel.source import Complaints

_ESCAPE = r"""\\(?:[abfnrtv"'\\?`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})"""
_HALF_ESCAPE = r"\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?"
_TEXT = "|".join(
    (
        r'[rR]"""(?s:.*?)"""',
        r"[rR]'''(?s:.*?)'''",
        r'[rR]"[^"\n\r]*"',
        r"[rR]'[^'\n\r]*'",
        rf'"""(?:{_ESCAPE}|[^\\])*?"""',
        rf"'''(?:{_ESCAPE}|[^\\])*?'''",
        rf'"(?:{_ESCAPE}|[^\\"\n\r])*"',
        rf"'(?:{_ESCAPE}|[^\\'\n\r])*'",
    )
)
_TOKEN = re.compile(
    rf"""
    (?P<SPACE>[\t \r\n\f]+|//[^\n]*)
    |(?P<BYTES>[bB](?:{_TEXT}))
    |(?P<STRING>{_TEXT})
    |(?P<NUM_FLOAT>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    |(?P<NUM_UINT>0x[0-9a-fA-F]+[uU]|[0-9]+[uU])
    |(?P<NUM_INT>0x[0-9a-fA-F]+|[0-9]+)
    |(?P<IDENTIFIER>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<SIGN>==|!=|<=|>=|&&|\|\||[-<>!?.,:()\[\]{{}}+*/%])
    """,
    re.VERBOSE,
)
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED = re.compile(_ESCAPE)
KEYWORDS = frozenset(("true", "false", "null", "in"))


@dataclass(slots=True, frozen=True)
class Token:
    """`kind` is the sign or keyword itself, or a class of literals; `<EOF>` ends every text."""

    kind: str
    text: str
    position: int


def tokens(text: str, complaints: Complaints) -> list[Token]:
    """All tokens, and the end."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            end = _unknown(text, position)
            complaints.add(position, f"Syntax error: token recognition error at: '{_shown(text[position:end])}'")
            position = end
            continue
        kind, value = match.lastgroup or "", match.group()
        if kind != "SPACE":
            plain = kind == "SIGN" or (kind == "IDENTIFIER" and value in KEYWORDS)
            found.append(Token(value if plain else kind, value, position))
        position = match.end()
    found.append(Token("<EOF>", "<EOF>", len(text)))
    return found


def _unknown(text: str, position: int) -> int:
    """Where what is no token ends: with the first character that could not belong to the token that was begun."""
    char = text[position]
    if char in "\"'":
        match = re.compile(rf"{char}(?:{_ESCAPE}|[^\\{char}\n\r])*(?:{_HALF_ESCAPE})?").match(text, position)
        assert match is not None
        return min(len(text), match.end() + 1)
    return min(len(text), position + (2 if char in "&|=" else 1))


def _shown(text: str) -> str:
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _body(text: str) -> tuple[str, bool]:
    """What stands between the quotes, and whether it is raw."""
    raw = text[0] in "rR"
    if raw:
        text = text[1:]
    quotes = 3 if len(text) >= 6 and text[:3] in ('"""', "'''") else 1
    return text[quotes:-quotes], raw


def string_value(text: str) -> str:
    """The value of a string token. Raises ValueError where an escape names no character."""
    body, raw = _body(text)
    if raw or "\\" not in body:
        return body.replace("\r\n", "\n").replace("\r", "\n") if "\r" in body else body
    return _ESCAPED.sub(lambda escape: _char(escape.group()), body)


def bytes_value(text: str) -> bytes:
    """The value of a bytes token: escapes by number are single bytes, everything else is UTF-8."""
    body, raw = _body(text[1:])
    if raw:
        return body.encode()
    parts: list[bytes] = []
    end = 0
    for escape in _ESCAPED.finditer(body):
        parts.append(body[end : escape.start()].encode())
        sign = escape.group()[1]
        if sign in "uU":
            raise ValueError("unable to unescape string")
        code = ord(_char(escape.group()))
        parts.append(bytes([code]) if code < 256 else chr(code).encode())
        end = escape.end()
    return b"".join((*parts, body[end:].encode()))


def _char(escape: str) -> str:
    sign = escape[1]
    if sign in "xXuU":
        code = int.from_bytes(bytes.fromhex(escape[2:]))
    elif sign.isdigit():
        code = int(escape[1:], 8)
    else:
        return _NAMED.get(sign, sign)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError("unable to unescape string")
    return chr(code)
