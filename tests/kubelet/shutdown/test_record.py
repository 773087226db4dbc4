"""The file in which a shutdown is written down. Upstream: storage_test.go."""

from pathlib import Path

import pytest

from pilothouse.kubelet.shutdown.record import FILE, ShutdownRecord


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    for record in (ShutdownRecord(1767225600.25), ShutdownRecord(1767225600.25, 1767225630.5)):
        record.save(tmp_path)
        assert ShutdownRecord.load(tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == ["graceful_node_shutdown_state"]


def test_it_is_written_as_upstream_writes_it(tmp_path: Path) -> None:
    ShutdownRecord(1767225600.25).save(tmp_path)
    text = '{"startTime":"2026-01-01T00:00:00.250000Z","endTime":"0001-01-01T00:00:00Z"}'
    assert (tmp_path / FILE).read_text() == text


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (
            '{"startTime":"2026-01-01T02:00:00.123456789+02:00","endTime":"0001-01-01T00:00:00Z"}',
            ShutdownRecord(1767225600.123456),
        ),
        ("{}", ShutdownRecord()),
    ],
)
def test_what_upstream_wrote_is_read(tmp_path: Path, text: str, record: ShutdownRecord) -> None:
    (tmp_path / FILE).write_text(text)
    assert ShutdownRecord.load(tmp_path) == record


def test_where_there_is_none_nothing_has_happened(tmp_path: Path) -> None:
    assert ShutdownRecord.load(tmp_path) == ShutdownRecord()


@pytest.mark.parametrize("text", ["", "[]", '{"startTime": "today"}'])
def test_nonsense_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ValueError):
        ShutdownRecord.load(tmp_path)
