"""Processes that the kernel ended because there was no memory, read from what it says of that: pure.

A kill is several messages: that somebody asked for memory, the state of the machine, then whom it ended and why.
Kernels before 5.0 say it in other words. Source: github.com/google/cadvisor/utils/oomparser.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass, replace

WHOLE = "/"
"""The group of all: who runs out of memory is the machine."""
_BEGIN = "invoked oom-killer:"
_GROUP = re.compile(
    r"oom-kill:constraint=.*,oom_memcg=(?P<limited>.*),task_memcg=(?P<group>.*),task=(?P<process>.*),pid=(?P<pid>\d+),uid="
)
_GROUP_BEFORE_5 = re.compile(r"Task in (?P<group>.*) killed as a result of limit of (?P<limited>.*)")
_END = re.compile(r"Killed process (?P<pid>\d+) \((?P<process>.+)\)")
_MOST = 1000


@dataclass(frozen=True, slots=True)
class OomKill:
    """One process."""

    process: str
    pid: int
    group: str = WHOLE
    """Its control group, where the limit of one was reached."""
    limited: str = WHOLE
    """The group whose limit was reached."""


class OomReader:
    """Listens to one machine."""

    def __init__(self) -> None:
        self._begun: OomKill | None = None

    def hear(self, message: str) -> OomKill | None:
        """The kill that the message completes."""
        if self._begun is None:
            self._begun = OomKill("", 0) if _BEGIN in message else None
            return None
        if (told := _GROUP.search(message)) is not None:
            self._begun = None
            return OomKill(told["process"], int(told["pid"]), told["group"], told["limited"])
        if (told := _GROUP_BEFORE_5.search(message)) is not None:
            self._begun = replace(self._begun, group=_path(told["group"]), limited=_path(told["limited"]))
        elif (told := _END.search(message)) is not None:
            found, self._begun = replace(self._begun, process=told["process"], pid=int(told["pid"])), None
            return found
        return None


def _path(name: str) -> str:
    return f"/{name.lstrip('/')}"


class OomCounts:
    """How many processes were ended, by control group. Those are forgotten of which nothing was heard for long."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()

    def count(self, group: str) -> None:
        """One more."""
        self._counts[group] = self._counts.get(group, 0) + 1
        self._counts.move_to_end(group)
        if len(self._counts) > _MOST:
            self._counts.popitem(last=False)

    def of(self, group: str) -> int:
        """Since the machine was booted, or as far back as its kernel remembers."""
        return self._counts.get(group, 0)
