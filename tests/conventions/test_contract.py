"""The contract suite stands for what it lists, and for nothing that is ours."""

import ast
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from _pytest.mark import ParameterSet

from contract.api import Watch
from contract.conformance import Checks, Listed, listed

SUITE = Path(__file__).parents[1] / "contract"
ASSUMED = {"sig-api-machinery": 1, "sig-cli": 1, "sig-node": 1, "sig-storage": 1}
"""How many lists have something that nobody could look up, by sig: it only becomes less."""


def _trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(SUITE)): ast.parse(path.read_text()) for path in sorted(SUITE.rglob("*.py"))}


def _tests() -> dict[str, Callable[..., None]]:
    """The suite's tests by file and name."""
    modules = [import_module("contract." + file[:-3].replace("/", ".")) for file in _trees() if "test_" in file]
    return {
        f"{each.__name__}:{name}": found
        for each in modules
        for name, found in vars(each).items()
        if name.startswith("test_")
    }


def _marks(test: Callable[..., None]) -> list[str]:
    """The names that a test is marked to stand for, itself or by its parameters."""
    marks = list(getattr(test, "pytestmark", []))
    rows = [
        row for mark in marks if mark.name == "parametrize" for row in mark.args[1] if isinstance(row, ParameterSet)
    ]
    marks += [mark for row in rows for mark in row.marks]
    return [str(mark.args[0]) for mark in marks if mark.name == "conformance"]


def test_every_listed_name_has_one_test_and_every_test_its_list() -> None:
    assert sorted(name for test in _tests().values() for name in _marks(test)) == sorted(listed())


def test_every_test_is_marked_and_checks() -> None:
    tests = _tests()
    assert [name for name, test in tests.items() if not _marks(test)] == []
    assert [name for name, test in tests.items() if "check" not in inspect.signature(test).parameters] == []


def _sig(name: str) -> str:
    return name[1 : name.index("]")]


def test_every_listed_name_is_one_of_the_conformance_tests() -> None:
    names = (SUITE / "names.txt").read_text().splitlines()
    assert len(names) == len({*names}) == 462
    assert [entry.name for entry in listed().values() if entry.name not in names] == []


def test_every_conformance_test_has_a_counterpart_or_a_reason_why_it_has_none() -> None:
    exempt = yaml.safe_load((SUITE / "exempt.yaml").read_text())
    without = [name for needs in exempt.values() for name in needs]
    covered = [entry.name for entry in listed().values()]
    assert sorted(without + covered) == sorted((SUITE / "names.txt").read_text().splitlines())


def test_what_was_not_looked_up_is_counted() -> None:
    assert Counter(_sig(entry.name) for entry in listed().values() if entry.assumed) <= Counter(ASSUMED)


def test_every_list_names_its_source_and_what_it_asserts() -> None:
    for entry in listed().values():
        assert entry.name.startswith("[sig-")
        assert entry.file.startswith("test/e2e/")
        assert entry.assertions
        assert all(entry.assertions.values()), entry.name


def test_it_imports_nothing_of_ours() -> None:
    modules: set[str] = set()
    for tree in _trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                modules.add((node.module or "").split(".")[0])
    assert modules & {"pilothouse", "fakes"} == set()
    assert {"contract", "kubernetes"} <= modules


def test_what_is_not_looked_at_is_missing_and_what_does_not_hold_fails() -> None:
    checks = Checks(Listed("[sig-x] name", "test/e2e/x.go", {"one": "it is one", "two": "there is something"}, ""))
    checks("one", 1, 1)
    assert checks.missing == ["two"]
    with pytest.raises(AssertionError, match="two: there is something; found"):
        checks("two", [])
    with pytest.raises(AssertionError, match="not listed"):
        checks("three", True)
    assert checks.missing == ["two"]
    checks("two", ["x"])
    assert checks.missing == []


class _Endless:
    """An answer that never ends by itself."""

    def __init__(self) -> None:
        self.read = True

    def stream(self, **_: object) -> Iterator[bytes]:
        try:
            while True:
                yield b'{"type": "ADDED", "object": {}}\n'
        finally:
            self.read = False

    def close(self) -> None:
        pass


def test_a_watch_that_was_closed_has_nothing_left_to_do() -> None:
    answer = _Endless()
    with Watch(answer) as changes:
        assert changes.first(lambda event: event["type"] == "ADDED")
    assert not answer.read
