import asyncio
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from pilothouse.runtime.signals import STOP_SIGNALS, stop_event


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_stop_signal_sets_the_event(number: signal.Signals) -> None:
    async def main() -> None:
        with stop_event() as stop:
            os.kill(os.getpid(), number)
            await stop.wait()

    asyncio.run(main())


def test_the_second_one_ends_the_process() -> None:
    program = """
        import asyncio, os, signal
        from pilothouse.runtime.signals import stop_event
        async def main():
            with stop_event() as stop:
                os.kill(os.getpid(), signal.SIGTERM)
                await stop.wait()
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.Event().wait()
        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=20, check=False)
    assert done.returncode == 1
