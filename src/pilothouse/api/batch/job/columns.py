"""The columns of `kubectl get jobs`. Source: printJob in pkg/printers/internalversion/printers.go."""

from pilothouse.api.machinery.columns import AGE, containers, dig, human_duration, show_selector
from pilothouse.api.machinery.resource import Column
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant, parse_time


def _true_conditions(obj: JsonObject) -> set[str]:
    return {c.get("type", "") for c in dig(obj, "status", "conditions") or () if c.get("status") == "True"}


def _status(obj: JsonObject, _now: Instant) -> str:
    true = _true_conditions(obj)
    if "Complete" in true:
        return "Complete"
    if "Failed" in true:
        return "Failed"
    if dig(obj, "metadata", "deletionTimestamp"):
        return "Terminating"
    return next((word for kind, word in _UNFINISHED if kind in true), "Running")


_UNFINISHED = (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"))


def _completions(obj: JsonObject, _now: Instant) -> str:
    succeeded = dig(obj, "status", "succeeded") or 0
    wanted = dig(obj, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = dig(obj, "spec", "parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(obj: JsonObject, now: Instant) -> str:
    start, end = dig(obj, "status", "startTime"), dig(obj, "status", "completionTime")
    if not start:
        return ""
    return human_duration((parse_time(end) if end else now) - parse_time(start))


COLUMNS = (
    Column("Status", _status),
    Column("Completions", _completions),
    Column("Duration", _duration),
    AGE,
    *containers("spec", "template", "spec"),
    Column("Selector", show_selector("spec", "selector"), priority=1),
)
