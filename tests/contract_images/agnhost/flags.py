"""Flags as the Go programs take them: --name=value, --name value, -n value, and a bare --name for a switch."""

from collections.abc import Mapping, Sequence

Value = str | int | float | bool

_LOGGING = ("v", "vmodule", "logtostderr", "alsologtostderr", "stderrthreshold")
"""Flags of the log library that some tests give to any sub-command; they change nothing here."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class FlagError(Exception):
    """An argument that the sub-command does not take."""


class Flags:
    """The arguments of one sub-command: `defaults` says which flags there are and, by its type, what each holds.

    A float is a duration in seconds, written as Go writes them ("1m30s").
    """

    def __init__(
        self, arguments: Sequence[str], defaults: Mapping[str, Value], short: Mapping[str, str] | None = None
    ) -> None:
        self._values = dict(defaults)
        self.words: list[str] = []
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word == "--":
                self.words += rest
                break
            if not word.startswith("-") or word == "-":
                self.words.append(word)
                continue
            self._take(word, rest, short or {})

    def _take(self, word: str, rest: list[str], short: Mapping[str, str]) -> None:
        name, equals, text = word.lstrip("-").partition("=")
        name = short.get(name, name)
        kind = self._values.get(name)
        if name in _LOGGING:
            if not equals and name in ("v", "vmodule", "stderrthreshold") and rest:
                rest.pop(0)
            return
        if kind is None:
            raise FlagError(f"unknown flag: {word}")
        if not equals:
            if isinstance(kind, bool):
                text = "true"
            elif rest:
                text = rest.pop(0)
            else:
                raise FlagError(f"flag needs an argument: {word}")
        try:
            self._values[name] = _converted(kind, text)
        except ValueError as error:
            raise FlagError(f'invalid argument "{text}" for "--{name}" flag: {error}') from error

    def text(self, name: str) -> str:
        """The value of a flag that holds text."""
        return str(self._values[name])

    def number(self, name: str) -> int:
        """The value of a flag that holds a whole number."""
        return int(self._values[name])

    def seconds(self, name: str) -> float:
        """The value of a flag that holds a duration."""
        return float(self._values[name])

    def on(self, name: str) -> bool:
        """The value of a switch."""
        return bool(self._values[name])


def _converted(kind: Value, text: str) -> Value:
    if isinstance(kind, bool):
        if text.lower() in ("1", "t", "true"):
            return True
        if text.lower() in ("0", "f", "false"):
            return False
        raise ValueError("invalid syntax")
    if isinstance(kind, int):
        return int(text, 0)
    return duration(text) if isinstance(kind, float) else text


def duration(text: str) -> float:
    """Seconds of a duration as Go writes it; ValueError when it is none."""
    rest = text.removeprefix("-").removeprefix("+")
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError(f'time: invalid duration "{text}"')
    total = 0.0
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        letters = len(rest[digits:]) - len(rest[digits:].lstrip("nuµmsh"))
        unit = rest[digits : digits + letters]
        if not digits or unit not in _UNITS:
            raise ValueError(f'time: invalid duration "{text}"')
        total += float(rest[:digits]) * _UNITS[unit]
        rest = rest[digits + letters :]
    return -total if text.startswith("-") else total
