"""How much time groups lost waiting."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from linux.test_cgroup_usage import have
from linux.test_cgroups import V1, V2, machine
from pilothouse.linux.pressure import Pressure, Stall, parse, pressures

TEXT = "some avg10=1.50 avg60=0.20 avg300=0.03 total=4567\nfull avg10=0.00 avg60=0.10 avg300=0.00 total=89\n"
READ = Pressure(Stall(1.5, 0.2, 0.03, 4567), Stall(0.0, 0.1, 0.0, 89))


@pytest.mark.parametrize(("text", "expected"), [
    (TEXT, READ), (TEXT.splitlines()[0], Pressure(Stall(1.5, 0.2, 0.03, 4567))), ("", Pressure()),
], ids=["both", "an old kernel", "nothing"])  # fmt: skip
def test_a_file(text: str, expected: Pressure) -> None:
    assert parse(text.encode()) == expected


def test_what_the_kernel_tells_of_a_group(tmp_path: Path) -> None:
    found = machine(tmp_path, V2)
    assert pressures(found, "/p") == {}
    have(tmp_path, {"unified/p/cpu.pressure": TEXT, "unified/p/io.pressure": ""})
    assert pressures(found, "/p") == {"cpu": READ, "io": Pressure()}


def test_version_1_tells_nothing(tmp_path: Path) -> None:
    found = machine(tmp_path, V1 + V2)
    have(tmp_path, {"unified/p/cpu.pressure": TEXT})
    assert pressures(found, "/p") == {}


@pytest.mark.parametrize("refused", ["open", "read"])
def test_a_kernel_that_was_told_at_boot_not_to_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    found = machine(tmp_path, V2)
    have(tmp_path, {"unified/p/cpu.pressure": TEXT})

    def refuse(*_arguments: Any) -> Any:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, refused, refuse)
    assert pressures(found, "/p") == {}
