"""Lines on standard error, with what Go's log libraries put in front."""

import os
import sys
import time


def log(text: str) -> None:
    """A line of the log package: date and time."""
    print(f"{time.strftime('%Y/%m/%d %H:%M:%S')} {text}", file=sys.stderr, flush=True)


def klog(text: str, place: str, severity: str = "I") -> None:
    """A line of klog: severity and date, time, process, and where in the program it was written."""
    now = time.time_ns()
    when = time.strftime("%m%d %H:%M:%S", time.localtime(now // 10**9))
    head = f"{severity}{when}.{now // 1000 % 10**6:06} {os.getpid():7} {place}]"
    print(f"{head} {text}", file=sys.stderr, flush=True)
