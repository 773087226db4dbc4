"""Prints lines like those of an API server's log, evenly over a time."""

import random
import string
import time
from collections.abc import Sequence

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.logs import klog

_METHODS = ("GET", "POST", "PUT")
_NAMESPACES = ("kube-system", "default", "ns")
_PLACE = "logs_generator.go:76"


def run(arguments: Sequence[str]) -> int:
    """Print as many lines as asked for in the time that is given."""
    flags = Flags(arguments, {"log-lines-total": 0, "run-duration": 0.0}, {"t": "log-lines-total", "d": "run-duration"})
    total, seconds = flags.number("log-lines-total"), flags.seconds("run-duration")
    if total <= 0:
        klog(f"Invalid total number of lines: {total}", _PLACE, "F")
        return 255
    if seconds <= 0:
        klog(f"Invalid duration: {seconds}s", _PLACE, "F")
        return 255
    begin = time.monotonic()
    for number in range(total):
        klog(line(number), _PLACE)
        time.sleep(max(0.0, begin + seconds / total * (number + 1) - time.monotonic()))
    return 0


def line(number: int) -> str:
    """One line, which only its number makes unlike the others for certain."""
    pod = "".join(random.choices(string.ascii_lowercase + string.digits, k=random.randint(3, 4)))
    url = f"/api/v1/namespaces/{random.choice(_NAMESPACES)}/pods/{pod}"
    return f"{number} {random.choice(_METHODS)} {url} {random.randint(200, 599)}"
