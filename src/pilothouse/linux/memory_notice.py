"""The kernel's word that a control group uses more than so much memory, or less again.

Version 1 has it: an eventfd is registered with the group's files. Version 2 has nothing of the kind for a limit of
one's own. Source: the kernel's cgroup-v1/memory.rst, "Memory thresholds".
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self


class MemoryNotice:
    """Calls back each time that the use of a group passes a limit. To be closed."""

    def __init__(self, group: Path, limit: int, callback: Callable[[], None]) -> None:
        """`group` is a directory of the memory hierarchy, `limit` in bytes. Raises OSError."""
        self._callback = callback
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            # It may be closed again: the kernel keeps what it needs.
            usage = os.open(group / "memory.usage_in_bytes", os.O_RDONLY | os.O_CLOEXEC)
            try:
                (group / "cgroup.event_control").write_text(f"{self._event} {usage} {limit}")
            finally:
                os.close(usage)
            asyncio.get_running_loop().add_reader(self._event, self._heard)
        except BaseException:
            os.close(self._event)
            raise

    def _heard(self) -> None:
        os.eventfd_read(self._event)
        self._callback()

    def close(self) -> None:
        """Hear no more of it."""
        asyncio.get_running_loop().remove_reader(self._event)
        os.close(self._event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
