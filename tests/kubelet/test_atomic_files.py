import stat
from pathlib import Path

import pytest

from pilothouse.kubelet.atomic_files import FileContent, write_files


def test_files_and_what_is_above_them_have_their_modes(tmp_path: Path) -> None:
    assert write_files(tmp_path, {"deep/key": FileContent(b"1", 0o440), "b": FileContent(b"2", 0o644)}, 0)
    assert {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("deep/key", "b", "..data")} == {
        "deep/key": 0o440,
        "b": 0o644,
        "..data": 0o755,
    }


def test_nobody_reads_a_file_before_it_has_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    write = Path.write_bytes

    def noting(path: Path, data: bytes) -> int:
        written = write(path, data)
        modes.append(stat.S_IMODE(path.stat().st_mode))
        return written

    monkeypatch.setattr(Path, "write_bytes", noting)
    write_files(tmp_path, {"key": FileContent(b"secret", 0o400)}, 0)
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o400
