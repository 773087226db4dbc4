"""Schedules. Sources: parser.go of robfig/cron v3 and its tests; the messages are those of upstream's API server."""

import re

import pytest

from pilothouse.api.batch.cron_job.schedule import check_schedule, is_time_zone


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/15 0-23/2 1,15 jan-MAR ?",
        "5/10 * * * sun,6",
        "0 0 31 12 0",
        "@daily",
        "@hourly",
        "@every 1h30m",
        "@every 1.5s",
        "TZ=UTC 0 0 * * *",
        "CRON_TZ=UTC @daily",
        "  0   0 * * * ",
    ],
)
def test_schedules(text: str) -> None:
    check_schedule(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("error", "expected exactly 5 fields, found 1: [error]"),
        ("* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* 24 * * *", "end of range (24) above maximum (23): 24"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/1/2 * * * *", "too many slashes: */1/2"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("* * * mon *", 'failed to parse int from mon: strconv.Atoi: parsing "mon": invalid syntax'),
        ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
        ("@never", "unrecognized descriptor: @never"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
        ("TZ=Nowhere/Land * * * * *", "provided bad location Nowhere/Land: unknown time zone Nowhere/Land"),
    ],
)
def test_no_schedules(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        check_schedule(text)


@pytest.mark.parametrize(("name", "known"), [("UTC", True), ("", True), ("Nowhere/Land", False), ("../x", False)])
def test_time_zones(name: str, known: bool) -> None:
    assert is_time_zone(name) is known
