"""What a tool says of users that are set aside."""

from pathlib import Path

import pytest

from pilothouse.linux.subordinate_ids import subordinate_ids


def tool(place: Path, users: str, groups: str, code: int = 0) -> str:
    path = place / "getsubids"
    path.write_text(f'#!/bin/sh\nif [ "$1" = -g ]; then printf "{groups}"; else printf "{users}"; fi\nexit {code}\n')
    path.chmod(0o755)
    return str(path)


def test_one_range_for_users_and_groups(tmp_path: Path) -> None:
    line = "0: root 65536 7208960\\n"
    assert subordinate_ids("root", tool(tmp_path, line, line)) == (65536, 7208960)


def test_where_nobody_says_there_is_none(tmp_path: Path) -> None:
    line = "0: x 65536 65536"
    assert subordinate_ids("pilothouse-no-such-user", tool(tmp_path, line, line)) is None
    assert subordinate_ids("root", str(tmp_path / "no-such-tool")) is None


@pytest.mark.parametrize(
    ("users", "groups", "code", "told"),
    [
        ("0: root 1 2", "0: root 1 3", 0, 'mismatched subuids and subgids for user "root"'),
        ("0: root 1 2\\n1: root 5 6", "0: root 1 2", 0, "must name one range"),
        ("", "", 0, "must name one range"),
        ("Error fetching ranges", "", 1, "must name one range, it said: Error fetching ranges"),
        ("0: root one 2", "0: root one 2", 0, "error parsing line"),
        ("0: root 1", "0: root 1", 0, "error parsing line"),
    ],
)
def test_what_cannot_be_read_is_an_error(tmp_path: Path, users: str, groups: str, code: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        subordinate_ids("root", tool(tmp_path, users, groups, code))
