"""Semantic versions: `semver('1.2.3').isLessThan(semver('v1.3', true))`.

Sources: apiserver/pkg/cel/library/semverlib.go, semver.org (2.0.0) for order and form, blang/semver for the words.
"""

import string
from dataclasses import dataclass

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.library.formatting import quoted
from pilothouse.api.machinery.cel.values import Opaque

_WORD = frozenset(string.ascii_letters + string.digits + "-")


@dataclass(frozen=True, slots=True)
class Semver(Opaque):
    """A version. The build is no part of the order."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...]
    build: tuple[str, ...]

    type_name = "kubernetes.Semver"

    def __str__(self) -> str:
        plain = ".".join(map(str, self.numbers))
        return plain + "".join(f"{sign}{'.'.join(part)}" for sign, part in (("-", self.pre), ("+", self.build)) if part)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and compare(self, other) == 0

    def __hash__(self) -> int:
        return hash((self.numbers, self.pre))


def compare(first: Semver, second: Semver) -> int:
    """-1, 0 or 1."""
    left, right = _order(first), _order(second)
    return (left > right) - (left < right)


def _order(version: Semver) -> tuple[object, ...]:
    """A release comes after what is before it; numbers come before words, and fewer parts before more."""
    parts = tuple((0, len(part), part) if part.isdigit() else (1, 0, part) for part in version.pre)
    return version.numbers, not version.pre, parts


def parse(text: str, *, normalize: bool = False) -> Semver:
    """The version. Raises ValueError with upstream's words."""
    if normalize:
        text = _normalized(text)
    if not text:
        raise ValueError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise ValueError("No Major.Minor.Patch elements found")
    rest, plus, build = parts[2].partition("+")
    patch, dash, pre = rest.partition("-")
    numbers = tuple(map(_number, ("Major", "Minor", "Patch"), (parts[0], parts[1], patch)))
    before = tuple(map(_pre_release, pre.split("."))) if dash else ()
    after = tuple(map(_build, build.split("."))) if plus else ()
    return Semver(numbers, before, after)  # type: ignore[arg-type]


def _number(word: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        if text or word != "Patch":
            raise ValueError(f"Invalid character(s) found in {word.lower()} number {quoted(text)}")
        raise ValueError('strconv.ParseUint: parsing "": invalid syntax')
    if len(text) > 1 and text.startswith("0"):
        raise ValueError(f"{word} number must not contain leading zeroes {quoted(text)}")
    if len(text) > 20 or int(text) >= 2**64:
        raise ValueError(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return int(text)


def _pre_release(part: str) -> str:
    if not part:
        raise ValueError("Prerelease is empty")
    if part.isascii() and part.isdigit():
        if len(part) > 1 and part.startswith("0"):
            raise ValueError(f"Numeric PreRelease version must not contain leading zeroes {quoted(part)}")
    elif not _WORD.issuperset(part):
        raise ValueError(f"Invalid character(s) found in prerelease {quoted(part)}")
    return part


def _build(part: str) -> str:
    if not part:
        raise ValueError("Build meta data is empty")
    if not _WORD.issuperset(part):
        raise ValueError(f"Invalid character(s) found in build meta data {quoted(part)}")
    return part


def _normalized(text: str) -> str:
    """Without a `v` and zeros in front, and with all three numbers."""
    parts = text.removeprefix("v").split(".", 2)
    for at, part in enumerate(parts):
        if len(part) > 1:
            bare = part.lstrip("0")
            parts[at] = bare if bare[:1].isascii() and bare[:1].isdigit() else f"0{bare}"
    if len(parts) < 3:
        if "+" in parts[-1] or "-" in parts[-1]:
            raise ValueError("short version cannot contain PreRelease/Build meta data")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def _semver(text: str, normalize: bool = False) -> Semver:
    try:
        return parse(text, normalize=normalize)
    except ValueError as error:
        raise EvaluationError(str(error)) from error


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        parse(text, normalize=normalize)
    except ValueError:
        return False
    return True


SEMVER = library(
    """
    semver string_to_semver (string) Semver
    semver string_bool_to_semver (string, bool) Semver
    isSemver is_semver_string (string) bool
    isSemver is_semver_string_bool (string, bool) bool
    isGreaterThan semver_is_greater_than Semver.(Semver) bool
    isLessThan semver_is_less_than Semver.(Semver) bool
    compareTo semver_compare_to Semver.(Semver) int
    major semver_major Semver.() int
    minor semver_minor Semver.() int
    patch semver_patch Semver.() int
    """,
    {
        "semver": _semver,
        "isSemver": _is_semver,
        "isGreaterThan": lambda first, second: compare(first, second) > 0,
        "isLessThan": lambda first, second: compare(first, second) < 0,
        "compareTo": compare,
        "major": lambda version: version.numbers[0],
        "minor": lambda version: version.numbers[1],
        "patch": lambda version: version.numbers[2],
    },
)
