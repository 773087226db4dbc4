"""Flags are taken as Go's programs take them."""

import pytest

from contract_images.agnhost.flags import FlagError, Flags, Value, duration

DEFAULTS: dict[str, Value] = {"path": "", "count": 7, "wait": 0.0, "on": True, "off": False}


def test_what_is_not_given_is_the_default() -> None:
    flags = Flags([], DEFAULTS)
    assert (flags.text("path"), flags.number("count"), flags.seconds("wait")) == ("", 7, 0.0)
    assert (flags.on("on"), flags.on("off"), flags.words) == (True, False, [])


@pytest.mark.parametrize(
    "words",
    [
        ["--path=/x", "--count=3", "--wait=1m30s", "--on=false", "--off", "word"],
        ["--path", "/x", "-count", "3", "-w", "90s", "--on=0", "--off=True", "word"],
        ["-v=5", "--path=/x", "--v", "4", "--count=3", "-w=90s", "--alsologtostderr", "--on=f", "--off", "--", "word"],
    ],
)
def test_flags_are_given_in_several_ways(words: list[str]) -> None:
    flags = Flags(words, DEFAULTS, {"w": "wait"})
    assert (flags.text("path"), flags.number("count"), flags.seconds("wait")) == ("/x", 3, 90.0)
    assert (flags.on("on"), flags.on("off"), flags.words) == (False, True, ["word"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--other"], "unknown flag: --other"),
        (["--path"], "flag needs an argument: --path"),
        (["--count=x"], 'invalid argument "x" for "--count" flag'),
        (["--on=maybe"], 'invalid argument "maybe" for "--on" flag'),
        (["--wait=5"], 'invalid argument "5" for "--wait" flag: time: invalid duration "5"'),
    ],
)
def test_what_is_no_flag_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(FlagError, match=says):
        Flags(words, DEFAULTS)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("1.5h", 5400), ("2m3s", 123), ("100ms", 0.1), ("-3s", -3), ("5us", 5e-6)]
)
def test_durations_are_go_s(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "5x", "-"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time: invalid duration"):
        duration(text)
