"""What kernels say when they end processes for want of memory, of new ones and old, told as they told it."""

import pytest

from pilothouse.kubelet.oom_kills import OomCounts, OomKill, OomReader

BEGIN = "busybox invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999"
STATE = [
    "CPU: 1 PID: 21943 Comm: busybox Not tainted 6.18.0 #1",
    "Call Trace:",
    "memory: usage 16384kB, limit 16384kB, failcnt 21",
    "Tasks state (memory values in pages):",
    "[  21943]     0 21943    51770     4252     3904      348         0    73728        0           999 busybox",
]
GROUP = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=6c09,mems_allowed=0,"
    "oom_memcg=/kubepods/burstable/podu1,task_memcg=/kubepods/burstable/podu1/6c09,task=busybox,pid=21943,uid=0"
)
GROUP_END = "Memory cgroup out of memory: Killed process 21943 (busybox) total-vm:207080kB, anon-rss:15616kB, UID:0"
GLOBAL = (
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/user.slice,task=python3,pid=77,uid=1000"
)
GLOBAL_END = "Out of memory: Killed process 77 (python3) total-vm:9000000kB, anon-rss:8000000kB, UID:1000"
OLD_GROUP = "Task in /docker/abc killed as a result of limit of /docker"
OLD_END = "Killed process 5 (mem hog (1)) total-vm:1kB, anon-rss:1kB, file-rss:1kB"


def _heard(*messages: str) -> list[OomKill]:
    reader = OomReader()
    return [kill for message in messages if (kill := reader.hear(message)) is not None]


IN_GROUP = OomKill("busybox", 21943, "/kubepods/burstable/podu1/6c09", "/kubepods/burstable/podu1")


@pytest.mark.parametrize(
    ("messages", "kills"),
    [
        ([BEGIN, *STATE, GROUP, GROUP_END], [IN_GROUP]),
        ([BEGIN, *STATE, GROUP, GROUP_END, BEGIN, *STATE, GROUP, GROUP_END], [IN_GROUP, IN_GROUP]),
        ([BEGIN, *STATE, GLOBAL, GLOBAL_END], [OomKill("python3", 77, "/", "/")]),
        ([BEGIN, *STATE, OLD_GROUP, OLD_END], [OomKill("mem hog (1)", 5, "/docker/abc", "/docker")]),
        ([BEGIN, *STATE, OLD_END], [OomKill("mem hog (1)", 5, "/", "/")]),
        # Of a story whose beginning is not known nothing is made, nor of one without an end.
        ([*STATE, GROUP, GROUP_END], []),
        ([BEGIN, *STATE], []),
        ([], []),
    ],
    ids=["group", "two", "machine", "old group", "old machine", "no beginning", "no end", "silence"],
)
def test_kills_are_read(messages: list[str], kills: list[OomKill]) -> None:
    assert _heard(*messages) == kills


def test_a_process_may_be_called_anything() -> None:
    assert _heard(BEGIN, GROUP.replace("task=busybox", "task=a,pid=1,b"))[0].process == "a,pid=1,b"


def test_kills_are_counted_by_group_of_those_last_heard_of() -> None:
    counts = OomCounts()
    counts.count("/a")
    counts.count("/a")
    for number in range(1000):
        counts.count(f"/{number}")
        counts.count("/b")
    assert (counts.of("/b"), counts.of("/999"), counts.of("/a"), counts.of("/never")) == (1000, 1, 0, 0)
