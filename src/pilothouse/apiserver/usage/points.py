"""What one kubelet's page /metrics/resource says, as points in time. Pure.

Only what is complete counts: a pod of which one container lacks CPU or memory is left out. Nobody vouches for what a
kubelet says: a page with an impossible number is none. Source: metrics-server, pkg/scraper/client/resource/decode.go;
Prometheus' text format.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pilothouse.runtime.clock import Instant

_SAMPLE = re.compile(
    r"^(node|container)_(cpu_usage_seconds_total|memory_working_set_bytes|swap_usage_bytes|start_time_seconds)"
    r"(?:\{([^}\n]*)\})? (\S{1,40})(?: (-?\d{1,20}))?$",
    re.MULTILINE | re.ASCII,
)
_LABEL = re.compile(r'\b(namespace|pod|container)="([^"]*)"')
_NODE = ("", "", "")
_MOST = float(1 << 53)
"""Above any number of bytes or seconds, and exact as a float."""
_LATEST = 253402300800.0
"""The year 10000, which timestamps cannot tell."""
PodName = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a container or a node had used at a time."""

    at: Instant
    cpu: int
    """Since it was started, in billionths of a CPU's second."""
    memory: int
    """The working set, in bytes."""
    swap: int = 0
    started: Instant = 0.0
    """0 for a node."""


@dataclass(frozen=True, slots=True)
class Points:
    """What a kubelet said."""

    node: Point | None
    pods: Mapping[PodName, Mapping[str, Point]]
    """By container."""


def read_points(page: str, now: Instant) -> Points:
    """Read a page; samples without a time are of `now`. Raises ValueError for what no measured number can be."""
    owners: dict[str, tuple[str, str, str]] = {"": _NODE}
    values: dict[tuple[str, str, str], dict[str, float]] = {}
    for of, metric, labels, value, at in _SAMPLE.findall(page):
        owner = owners.get(labels)
        if owner is None:
            owner = owners[labels] = _owner(labels)
        if (owner is _NODE) == (of == "node"):
            found = values.setdefault(owner, {})
            found[metric] = _between(float(value), _MOST)
            if metric != "start_time_seconds":
                found["at"] = _between(int(at) / 1000, _LATEST) if at else now
    node = values.pop(_NODE, None)
    pods: dict[PodName, dict[str, Point | None]] = {}
    for (namespace, pod, container), found in values.items():
        pods.setdefault((namespace, pod), {})[container] = _point(found)
    complete = {
        name: whole for name, points in pods.items()
        if len(whole := {container: point for container, point in points.items() if point}) == len(points)
    }  # fmt: skip
    return Points(None if node is None else _point(node), complete)


def _between(value: float, limit: float) -> float:
    if not 0 <= value < limit:  # that is not true of NaN, either
        raise ValueError(f"{value:g} was not measured")
    return value


def _owner(labels: str) -> tuple[str, str, str]:
    found = dict(_LABEL.findall(labels))
    return found.get("namespace", ""), found.get("pod", ""), found.get("container", "")


def _point(values: Mapping[str, float]) -> Point | None:
    """None where the CPU time or the working set is missing, or 0, which nothing that runs has."""
    cpu, memory = round(values.get("cpu_usage_seconds_total", 0) * 1e9), int(values.get("memory_working_set_bytes", 0))
    if not cpu or not memory:
        return None
    swap, started = int(values.get("swap_usage_bytes", 0)), values.get("start_time_seconds", 0.0)
    return Point(values["at"], cpu, memory, swap, started)
