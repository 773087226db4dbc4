"""What the suite stands for: names of upstream's conformance tests, and what each of them asserts.

`assertions/*.yaml` lists them by name, facts in our words. A test says whom it stands for with `@conformance(name)` and
says `check(assertion, ...)` where it looks; one that passes without having looked at all that is listed fails.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

_LISTS = Path(__file__).parent / "assertions"
_KEYS = {"file", "assertions", "limits", "assumed", "differs"}
_TAG = re.compile(r"\s*\[[^\]]*\]")


@dataclass(frozen=True)
class Listed:
    """One test of upstream's."""

    name: str
    """Its whole name, as the list of conformance tests has it."""
    file: str
    """Where it is in kubernetes/kubernetes."""
    assertions: dict[str, str]
    """What it looks at: a short name for each, and what must hold."""
    limits: str
    """How long it waits, and for what."""
    assumed: str = ""
    """What of this nobody could look up."""
    differs: str = ""
    """Where our test is not as upstream's: sterner where every server of upstream's passes, or with other values."""


@cache
def listed() -> dict[str, Listed]:
    """Every test that is covered, by its name without tags."""
    found: dict[str, Listed] = {}
    for path in sorted(_LISTS.glob("*.yaml")):
        for name, entry in yaml.safe_load(path.read_text()).items():
            if name.startswith("."):
                continue  # what several of the file share
            assert short(name) not in found, f"{name} is listed twice"
            assert entry.keys() <= _KEYS, f"{name} has a key that means nothing"
            found[short(name)] = Listed(name, **{"limits": "", **entry, "assertions": dict(entry["assertions"])})
    return found


def short(name: str) -> str:
    """A test's name without `[sig-...]`, `[Conformance]` and the like."""
    return _TAG.sub("", name).strip()


def conformance(name: str) -> pytest.MarkDecorator:
    """Mark a test as the counterpart of upstream's test of that name, given without its tags."""
    return pytest.mark.conformance(name)


class Checks:
    """Compares, and remembers what was compared."""

    def __init__(self, expected: Listed) -> None:
        self._expected = expected
        self.done: set[str] = set()

    def __call__(self, assertion: str, found: Any, wanted: Any = True) -> None:
        """`found` must equal `wanted`, or be true where nothing else is wanted."""
        assert assertion in self._expected.assertions, f"{assertion!r} is not listed for {self._expected.name}"
        text = self._expected.assertions[assertion]
        holds = bool(found) if wanted is True else found == wanted
        assert holds, f"{assertion}: {text}; found {found!r}" + ("" if wanted is True else f", not {wanted!r}")
        self.done.add(assertion)

    @property
    def missing(self) -> list[str]:
        """What is listed and was not looked at."""
        return [assertion for assertion in self._expected.assertions if assertion not in self.done]
