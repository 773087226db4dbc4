"""Logs: one line an event, a fixed message with facts beside it, as Kubernetes' structured logging writes them.

    I0102 15:04:05.000000   12345 replicaset.py:120] "Created pod" replicaSet="default/web" pod="default/web-x2x7f"

Modules say what happened through a `Log`; a process decides once, in `configure`, what is written and where.
Format: kubernetes/community, contributors/devel/sig-instrumentation/logging.md and klog's header.
"""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from pilothouse.runtime.clock import Clock

_LETTERS = {logging.DEBUG: "D", logging.INFO: "I", logging.WARNING: "W", logging.ERROR: "E", logging.CRITICAL: "F"}
_ROOT = "pilothouse"


class Log:
    """What a module writes its events to. Messages are constants; what varies goes into facts."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, /, **facts: object) -> None:
        """For whoever hunts a fault."""
        self._write(logging.DEBUG, message, facts)

    def info(self, message: str, /, **facts: object) -> None:
        """For whoever runs the cluster."""
        self._write(logging.INFO, message, facts)

    def warning(self, message: str, /, **facts: object) -> None:
        """Something is not as it should be, and we cope."""
        self._write(logging.WARNING, message, facts)

    def error(self, message: str, /, *, error: BaseException | None = None, **facts: object) -> None:
        """Something failed. With `error` its text is a fact; its trace follows where the failure is ours."""
        if error is not None:
            facts = {"err": str(error) or type(error).__name__, **facts}
        self._write(logging.ERROR, message, facts)

    def crash(self, message: str, /, *, error: BaseException, **facts: object) -> None:
        """A fault of our own: as `error`, with the trace."""
        facts = {"err": str(error) or type(error).__name__, **facts}
        self._write(logging.ERROR, message, facts, error)

    def _write(self, level: int, message: str, facts: Mapping[str, object], error: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, message, exc_info=error, extra={"facts": facts}, stacklevel=3)


class LineFormatter(logging.Formatter):
    """Writes a record as one line in klog's form; a trace follows on lines of its own."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(self._clock.now() if self._clock else record.created, UTC)
        letter = _LETTERS.get(record.levelno, "I")
        stamp = moment.strftime("%m%d %H:%M:%S.%f")
        facts: Mapping[str, object] = getattr(record, "facts", {})
        tail = "".join(f" {name}={_show(value)}" for name, value in facts.items())
        message = json.dumps(record.getMessage(), ensure_ascii=False)
        line = f"{letter}{stamp} {record.process or 0:7d} {record.filename}:{record.lineno}] {message}{tail}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


def configure(
    *, verbose: bool = False, quiet: bool = False, stream: TextIO | None = None, clock: Clock | None = None
) -> None:
    """Say once a process where events go; `quiet`: what is as it should be goes nowhere.

    A clock stamps the lines; without one the machine's time does.
    """
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(LineFormatter(clock))
    logger = logging.getLogger(_ROOT)
    for old in list(logger.handlers):
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    logger.propagate = False


def _show(value: Any) -> str:
    if isinstance(value, bool | int | float) or value is None:
        return json.dumps(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return json.dumps(str(value), ensure_ascii=False)
