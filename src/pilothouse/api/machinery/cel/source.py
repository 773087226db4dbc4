"""The text of an expression, and complaints about it as upstream displays them.

Positions are offsets in code points. A complaint names line and column and shows the line with a caret under the place;
a tab is shown as a space, and below wide characters (more than a byte of UTF-8) stand wide dots.
"""

_MOST_SHOWN = 100


def nowhere(message: str) -> str:
    """A complaint about the whole text."""
    return f"ERROR: <input>:-1:0: {message}"


class Complaints:
    """What is wrong with one text, in the order of places."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self._found: list[tuple[int, int, str]] = []
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, position: int, message: str) -> None:
        """Notes a complaint about what stands there."""
        line = max(number for number, start in enumerate(self._starts) if start <= position or number == 0)
        line = min(line, len(self.lines) - 1)
        self._found.append((line, position - self._starts[line], message))

    def display(self) -> str:
        """All of them, one below the other."""
        ordered = sorted(self._found, key=lambda found: found[:2])
        shown = [self._one(*found) for found in ordered[:_MOST_SHOWN]]
        if len(ordered) > _MOST_SHOWN:
            shown.append(f"{len(ordered) - _MOST_SHOWN} more errors were truncated")
        return "\n".join(shown)

    def _one(self, line: int, column: int, message: str) -> str:
        if self.lines == [""]:
            return f"ERROR: <input>:1:1: {message}"
        text = self.lines[line].replace("\t", " ")
        before = "".join("．" if ord(char) > 127 else "." for char in text[:column])
        mark = "＾" if column < len(text) and ord(text[column]) > 127 else "^"
        return f"ERROR: <input>:{line + 1}:{column + 1}: {message}\n | {text}\n | {before}{mark}"
