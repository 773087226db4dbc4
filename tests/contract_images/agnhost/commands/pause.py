"""Waits, so that others can be run in the container."""

import os
import signal
from collections.abc import Sequence
from types import FrameType

from contract_images.agnhost.flags import Flags

_STATUS = {signal.SIGINT: 1, signal.SIGTERM: 2}


def run(arguments: Sequence[str]) -> int:
    """Wait for a signal, which the status tells."""
    Flags(arguments, {})
    for number in _STATUS:
        signal.signal(number, _end)
    print("Paused", flush=True)
    while True:
        signal.pause()


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(_STATUS[signal.Signals(number)])
