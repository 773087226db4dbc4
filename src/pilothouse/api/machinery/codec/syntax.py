"""Where a text stops being JSON, in the words of Go's encoding/json, which clients of the API know.

Runs on bodies that a decoder has already refused, so it is written to be read, not to be fast. It goes byte by byte as
Go's scanner does: the same byte is to blame, and the words say what was expected in its place.
"""

import re
from collections.abc import Iterator

MAX_DEPTH = 200
"""Objects and lists within each other; orjson reads deeper than it can write."""
TOO_DEEP = "exceeded max depth"
_END = "unexpected end of JSON input"
_SPACE = b" \t\r\n"
_BLANKS = re.compile(rb"[ \t\r\n]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_VALUE = "looking for beginning of value"
_NUMBER = (
    (rb"-?", "in numeric literal", True), (rb"0|[1-9][0-9]*", "in numeric literal", False),
    (rb"\.", "", True), (rb"[0-9]+", "after decimal point in numeric literal", False),
    (rb"[eE]", "", True), (rb"[+-]?[0-9]+", "in exponent of numeric literal", False),
)  # fmt: skip


class MalformedError(ValueError):
    """A body that cannot be read at all."""


def explain(body: bytes) -> str | None:
    """What is wrong with a text that should be JSON; None where nothing is."""
    try:
        for _ in _Scanner(body).document():
            pass
    except MalformedError as error:
        return str(error)
    return None


class _Scanner:
    """The state of one scan. Methods advance `at` and raise MalformedError."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def document(self) -> Iterator[None]:
        """One value and nothing after it. Nesting is kept on a list: depth must not exhaust the stack."""
        closers: list[int] = []
        expecting_value = True
        while True:
            yield
            char = self.look()
            if expecting_value:
                if char in b"{[":
                    self.at += 1
                    closers.append(0x7D if char == 0x7B else 0x5D)
                    expecting_value = not self.empty(closers)
                else:
                    self.scalar(char)
                    expecting_value = False
            elif closers and char in (closers[-1], 0x2C):
                self.at += 1
                if char == closers[-1]:
                    closers.pop()
                else:
                    if closers[-1] == 0x7D:
                        self.key()
                    expecting_value = True
            elif closers:
                self.blame(char, "after object key:value pair" if closers[-1] == 0x7D else "after array element")
            if not closers and not expecting_value:
                self.nothing_more()
                return

    def empty(self, closers: list[int]) -> bool:
        """Whether the object or list just opened ends at once; if not, an object's first key is read."""
        if self.look() == closers[-1]:
            self.at += 1
            closers.pop()
            return True
        if closers[-1] == 0x7D:
            self.key()
        return False

    def key(self) -> None:
        """A key and its colon."""
        char = self.look()
        if char != 0x22:
            self.blame(char, "looking for beginning of object key string")
        self.string()
        char = self.look()
        if char != 0x3A:
            self.blame(char, "after object key")
        self.at += 1

    def nothing_more(self) -> None:
        """Only space may follow."""
        rest = self.body[self.at :].lstrip(_SPACE)
        if rest:
            self.blame(rest[0], "after top-level value")

    def look(self) -> int:
        """The next byte that is not space."""
        self.at = self.beyond(_BLANKS)
        return self.here()

    def here(self) -> int:
        """The byte we are at."""
        if self.at >= len(self.body):
            raise MalformedError(_END)
        return self.body[self.at]

    def blame(self, char: int, why: str) -> None:
        """Stop at `char`."""
        raise MalformedError(f"invalid character {_quoted(char)} {why}")

    def scalar(self, char: int) -> None:
        """A string, a number, or one of the three words."""
        if char == 0x22:
            self.string()
        elif char in b"-0123456789":
            self.number()
        else:
            word = {0x74: b"true", 0x66: b"false", 0x6E: b"null"}.get(char)
            if word is None:
                self.blame(char, _VALUE)
            else:
                self.word(word)

    def word(self, word: bytes) -> None:
        """One of the three words, letter by letter."""
        for letter in word:
            if (char := self.here()) != letter:
                self.blame(char, f"in literal {word.decode()} (expecting {_quoted(letter)})")
            self.at += 1

    def number(self) -> None:
        """A number, part by part."""
        skip = False
        for pattern, why, optional in _NUMBER:
            if skip:
                skip = False
                continue
            found = re.compile(pattern).match(self.body, self.at)
            if found:
                self.at = found.end()
            elif optional:
                skip = not why
            else:
                if self.body[self.at : self.at + 1] in (b"+", b"-"):
                    self.at += 1
                self.blame(self.here(), why)

    def string(self) -> None:
        """A string with its quotes."""
        self.at += 1
        while True:
            self.at = self.beyond(_PLAIN)
            char = self.here()
            if char < 0x20:
                self.blame(char, "in string literal")
            self.at += 1
            if char == 0x22:
                return
            self.escape()

    def beyond(self, pattern: re.Pattern[bytes]) -> int:
        """Where what the pattern takes ends; it may take nothing."""
        found = pattern.match(self.body, self.at)
        return found.end() if found else self.at

    def escape(self) -> None:
        """What follows a backslash."""
        char = self.here()
        self.at += 1
        if char == 0x75:
            for _ in range(4):
                if (char := self.here()) not in b"0123456789abcdefABCDEF":
                    self.blame(char, r"in \u hexadecimal character escape")
                self.at += 1
        elif char not in b'bfnrt\\/"':
            self.blame(char, "in string escape code")


def _quoted(char: int) -> str:
    """A byte as Go quotes it."""
    special = {0x27: r"'\''", 0x22: "'\"'", 0x5C: r"'\\'", 0x0A: r"'\n'", 0x09: r"'\t'", 0x0D: r"'\r'", 0x07: r"'\a'",
               0x08: r"'\b'", 0x0B: r"'\v'", 0x0C: r"'\f'"}  # fmt: skip
    if char in special:
        return special[char]
    if chr(char).isprintable():
        return f"'{chr(char)}'"
    return f"'\\x{char:02x}'" if char < 0x80 else f"'\\u{char:04x}'"
