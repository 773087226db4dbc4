"""What a container said of its end: from the file it was given for that, or from the tail of its log.

API page: "Determine the Reason for Pod Failure". The last 4096 bytes of the file, 2048 bytes or 80 lines of the log; of
that only so much as lets all of the pod's containers say as much.
"""

from dataclasses import replace
from pathlib import Path

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container
from pilothouse.kubelet.logs import parse_line
from pilothouse.kubelet.runtime_config import MESSAGE_POLICY

_POD_BYTES = 12 << 10
"""For all containers of a pod together."""
_MESSAGE_BYTES = 4096
_LOG_BYTES = 2048
_LOG_LINES = 80


def fair_share(pod: Pod) -> int:
    """How many bytes each container of the pod may say."""
    return _POD_BYTES // max(len(pod.spec.containers) + len(pod.spec.initContainers), 1)


def with_message(run: Container, message_file: Path, most: int) -> Container:
    """The run with its message, if it left one, cut after `most` bytes."""
    text = _tail(message_file)
    wants_log = run.annotations.get(MESSAGE_POLICY) == "FallbackToLogsOnError"
    if not text and run.exit_code != 0 and wants_log:
        text = _log_tail(Path(run.log_path)) if run.log_path else ""
    return replace(run, message=text.encode()[:most].decode(errors="replace")) if text else run


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _MESSAGE_BYTES))
            return file.read(_MESSAGE_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _log_tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            # Each line of output carries some 40 bytes of time and stream name.
            file.seek(max(0, path.stat().st_size - _LOG_BYTES - _LOG_LINES * 50))
            lines = [line + b"\n" for line in file.read().split(b"\n") if line]
    except OSError:
        return ""
    parsed = [entry.text for line in lines if (entry := parse_line(line)) is not None]
    return b"".join(parsed[-_LOG_LINES:])[-_LOG_BYTES:].decode(errors="replace")
