"""How much slower than usual the machine is that tests run on, such as one that is itself computed.

SLOWNESS in the environment says so, as tools/second_kernel.py does. Waits in real time take as many times longer before
they are given up; what only waits is not slowed down.
"""

import asyncio
import os

from pilothouse.runtime.clock import SystemClock

SLOWNESS = float(os.environ.get("SLOWNESS", "1"))  # noqa: TID251 - configuration of the tests


class PatientClock(SystemClock):
    """The machine's time, in which whatever must happen within some time may take as many times longer."""

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        """Raise TimeoutError in its body, later."""
        return super().timeout(None if seconds is None else seconds * SLOWNESS)
