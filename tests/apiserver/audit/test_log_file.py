"""The audit log's file: appended to, put aside by size, and old ones removed by number and age."""

from pathlib import Path

import pytest

from pilothouse.apiserver.audit.log_file import DAY, LogFile, Rotation

LINE = b"x" * (1 << 19) + b"\n"
NOON = 1_767_268_800.5  # 2026-01-01T12:00:00.5Z


def fill(path: Path, rotation: Rotation, *moments: float) -> list[str]:
    """Two lines at every moment: more than one file takes."""
    file = LogFile(path, rotation)
    for moment in moments:
        file.write(LINE, moment)
        file.write(LINE, moment)
    file.close()
    return sorted(found.name for found in path.parent.iterdir())


def test_a_file_that_has_grown_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.log"
    assert fill(path, Rotation(size=1), NOON) == ["audit-2026-01-01T12-00-00.500.log", "audit.log"]
    assert path.read_bytes() == LINE
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for _ in range(2):
        file = LogFile(path, Rotation())
        file.write(b"a\n", NOON)
        file.close()
    assert path.read_bytes() == b"a\na\n"


def test_what_was_there_counts_towards_the_size(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(LINE * 2)
    file = LogFile(path, Rotation(size=1))
    file.write(b"new\n", NOON)
    file.close()
    assert path.read_bytes() == b"new\n"


@pytest.mark.parametrize(
    ("rotation", "kept"),
    [
        (Rotation(size=1), 5),
        (Rotation(size=1, backups=2), 2),
        (Rotation(size=1, age=1), 4),
        (Rotation(size=1, age=1, backups=1), 1),
    ],
)
def test_old_ones_go(tmp_path: Path, rotation: Rotation, kept: int) -> None:
    (tmp_path / "audit-of-others.log").touch()
    path = tmp_path / "audit.log"
    file = LogFile(path, rotation)
    for days in (0.0, 2.0, 2.5):
        file.write(LINE * 2, NOON + days * DAY)
        file.write(LINE * 2, NOON + days * DAY)
    file.close()
    aside = sorted(found.name for found in tmp_path.glob("audit-2*"))
    assert len(aside) == kept
    assert (tmp_path / "audit-of-others.log").exists()
