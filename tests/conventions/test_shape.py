"""How the code base is kept readable: sizes, and documents that name what is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pilothouse"
LONGEST_FILE, LONGEST_FUNCTION = 500, 60
EXEMPT = {
    "kubelet/cri/table.py": "a table",
}


def _sources() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if "api/types" not in path.as_posix()]


def test_files_stay_short() -> None:
    long = {
        path.relative_to(SOURCE).as_posix(): count
        for path in _sources()
        if (count := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert {name: count for name, count in long.items() if name not in EXEMPT} == {}


def test_functions_stay_short() -> None:
    long = [
        f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}"
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    packages = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
    assert [name for name in packages if f"`{name}`" not in text] == []


def test_the_architecture_names_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", text)
    roots = (SOURCE, SOURCE / "apiserver")
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []


def test_the_readme_names_commands_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^\s*(?:\d\. )?`?make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named
    assert named <= targets


def test_the_readme_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    assert re.fullmatch(r"Running on node-\d\n", capsys.readouterr().out)
