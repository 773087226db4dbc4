import io
import logging
import re
from collections.abc import Iterator

import pytest

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.log import Log, configure
from pilothouse.testing.loop import run


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    logger = logging.getLogger("pilothouse")
    before = list(logger.handlers), logger.level, logger.propagate
    yield io.StringIO()
    logger.handlers[:], logger.level, logger.propagate = before[0], before[1], before[2]


def test_a_line_has_header_message_and_facts(stream: io.StringIO) -> None:
    configure(stream=stream)
    Log("pilothouse.test").info('Created "pod"', pod="default/web-1", replicas=3, nodes=["a", "b"], gone=None)
    assert re.fullmatch(
        r'I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ test_log\.py:\d+\] "Created \\"pod\\"" '
        r'pod="default/web-1" replicas=3 nodes=\["a", "b"\] gone=null\n',
        stream.getvalue(),
    )


def test_each_event_is_one_line_whatever_it_says(stream: io.StringIO) -> None:
    configure(stream=stream)
    Log("pilothouse.test").warning("two\nlines", fact="also\ntwo")
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().startswith("W")


def test_the_clock_stamps_lines(stream: io.StringIO) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        configure(stream=stream, clock=clock)
        await clock.sleep(3661.5)
        Log("pilothouse.test").info("An hour later")

    run(main)
    assert stream.getvalue().startswith("I0101 01:01:01.500000 ")


def test_debug_needs_verbose(stream: io.StringIO) -> None:
    configure(stream=stream)
    Log("pilothouse.test").debug("hidden")
    assert stream.getvalue() == ""
    configure(stream=stream, verbose=True)
    Log("pilothouse.test").debug("shown")
    assert '"shown"' in stream.getvalue()


def test_quiet_is_what_is_as_it_should_be(stream: io.StringIO) -> None:
    configure(stream=stream, quiet=True)
    Log("pilothouse.test").info("hidden")
    Log("pilothouse.test").warning("shown")
    assert ("hidden" in stream.getvalue(), "shown" in stream.getvalue()) == (False, True)


def test_an_error_says_its_cause_and_a_crash_its_trace(stream: io.StringIO) -> None:
    configure(stream=stream)
    log = Log("pilothouse.test")
    try:
        raise ValueError("no good")
    except ValueError as error:
        log.error("Failed", error=error)
        assert stream.getvalue().endswith('"Failed" err="no good"\n')
        log.crash("Crashed", error=error)
    assert "Traceback" in stream.getvalue()
