"""What a request for a log asks for, and of which run of the container. Pure.

Source: pkg/kubelet/server/server.go (getContainerLogs), ValidatePodLogOptions, and validateContainerLogStatus of
pkg/kubelet/kubelet_pods.go, whose messages users meet in `kubectl logs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilothouse.api.types.core_v1 import ContainerStatus, Pod
from pilothouse.kubelet.logs import Selection
from pilothouse.kubelet.server.text import Refused
from pilothouse.runtime.clock import Instant, parse_time

_STREAMS = {"": "", "All": "", "Stdout": "stdout", "Stderr": "stderr"}
_WAITING = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


@dataclass(frozen=True, slots=True)
class LogRequest:
    """A request's query, checked."""

    selection: Selection
    follow: bool = False
    previous: bool = False
    tail: int | None = None


def parse_log_request(query: Mapping[str, Sequence[str]], now: Instant) -> LogRequest:
    """Read the query. Raises Refused."""
    try:
        tail = "" if _value(query, "tail") == "all" else _value(query, "tail") or _value(query, "tailLines")
        lines, limit = _number(tail), _number(_value(query, "limitBytes"))
        seconds = _number(_value(query, "sinceSeconds"))
        time = parse_time(_value(query, "sinceTime")) if _value(query, "sinceTime") else None
    except ValueError:
        raise Refused(400, '{"message": "Unable to decode query."}') from None
    stream = _STREAMS.get(_value(query, "stream"))
    valid = (
        stream is not None
        and (lines is None or (lines >= 0 and not stream))
        and (limit is None or limit >= 1)
        and (seconds is None or (seconds >= 1 and time is None))
    )
    if not valid:
        raise Refused(422, '{"message": "Invalid request."}')
    since = now - seconds if seconds is not None else time
    selection = Selection(since, _flag(query, "timestamps"), stream or "", limit)
    return LogRequest(selection, _flag(query, "follow"), _flag(query, "previous"), lines)


def _value(query: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(query.get(name, ())), "")


def _number(text: str) -> int | None:
    return int(text) if text else None


def _flag(query: Mapping[str, Sequence[str]], name: str) -> bool:
    """As API parameters are read: there, and neither 0 nor false."""
    return name in query and _value(query, name).lower() not in ("0", "false")


def choose_run(pod: Pod, container: str, *, previous: bool) -> str:
    """The id of the run whose log is meant: the one that runs, else the last that did. Raises Refused."""
    where = f'"{container}" in pod "{pod.metadata.name}"'
    status = _status_of(pod, container)
    if not status:
        raise Refused(400, f"container {where} is not available")
    state, before = status.state, status.lastState.terminated.containerID
    if previous:
        if not before:
            raise Refused(400, f"previous terminated container {where} not found")
        return _bare(before)
    if state.running:
        return _bare(status.containerID)
    if state.terminated or status.lastState.terminated:
        ended = state.terminated.containerID or before
        if not ended:
            raise Refused(400, f"container {where} is terminated")
        return _bare(ended)
    if state.waiting:
        reason = state.waiting.reason
        raise Refused(400, f"container {where} is waiting to start: {_WAITING.get(reason, reason)}")
    raise Refused(400, f"container {where} is waiting to start - no logs yet")


def _status_of(pod: Pod, container: str) -> ContainerStatus:
    status = pod.status
    every = (*status.containerStatuses, *status.initContainerStatuses, *status.ephemeralContainerStatuses)
    return next((one for one in every if one.name == container), ContainerStatus())


def _bare(container_id: str) -> str:
    """The runtime's own id, without the runtime's name."""
    return container_id.rpartition("://")[2]
