"""The API's signals and CRI's numbers, both ways."""

import pytest

from pilothouse.api.core.pod.validation.handlers import SIGNALS
from pilothouse.kubelet.cri.signals import signal_name, signal_number


def test_every_signal_of_the_api_has_a_number() -> None:
    assert [signal_name(signal_number(name)) for name in SIGNALS] == list(SIGNALS)
    assert len({signal_number(name) for name in SIGNALS}) == len(SIGNALS)


@pytest.mark.parametrize(
    ("name", "number"), [("SIGABRT", 1), ("SIGTERM", 23), ("SIGRTMIN", 35), ("SIGRTMIN+1", 36), ("SIGRTMAX", 65)]
)
def test_numbers_of_the_interface(name: str, number: int) -> None:
    assert signal_number(name) == number


@pytest.mark.parametrize("number", [0, -1, 66, 1000])
def test_no_signal(number: int) -> None:
    assert signal_name(number) == ""
