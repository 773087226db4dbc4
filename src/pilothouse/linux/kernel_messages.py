"""What the kernel says: the messages that it still keeps, then each new one. kmsg(4), dev-kmsg of the kernel's ABI.

Programs may write to the same device: what they say is left out, nobody can speak for the kernel. Each read gives one
record, `priority,number,microseconds,flags;text`, with further lines of names and values.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

DEVICE = Path("/dev/kmsg")
_LONGEST = 8192
"""Bytes of a record."""


class KernelMessages:
    """Never blocks. To be closed, as a context manager."""

    def __init__(self, device: Path = DEVICE) -> None:
        """Raises OSError."""
        self._descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.most = 100
        """How many are read in one go: others are to have their turn, too."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def read(self) -> list[str] | None:
        """The next messages, which may all have been programs'. None: there is nothing new. Raises OSError."""
        records = self._read()
        texts = (kernel_message(record) for record in records)
        return [text for text in texts if text is not None] if records else None

    def _read(self) -> list[bytes]:
        found: list[bytes] = []
        while len(found) < self.most:
            try:
                record = os.read(self._descriptor, _LONGEST)
            except BlockingIOError:
                break
            except BrokenPipeError:  # the kernel has overwritten what would have been next
                continue
            if not record:
                raise OSError("the kernel's messages have ended")
            found.append(record)
        return found


def kernel_message(record: bytes) -> str | None:
    """Its text. None: it is a program's, or nothing that this device says."""
    head, found, text = record.decode(errors="replace").partition(";")
    priority = head.split(",")[0]
    # The lower three bits say how bad it is, the others who speaks; the kernel is 0.
    if not found or not priority.isdecimal() or int(priority) >> 3:
        return None
    return text.split("\n", 1)[0]
