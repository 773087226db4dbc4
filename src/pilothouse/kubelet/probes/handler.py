"""`Handler`: asks a container one question, in one of the ways a probe can. Each way is a file in `handlers/`.

What the container answers or fails to answer is an `Answer`; ProbeError says that no question could be asked, which
tells nothing of the container. Messages are those of upstream's probers (pkg/probe).
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from pilothouse.api.types.core_v1 import Container, Probe
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.hooks import Fetch
from pilothouse.kubelet.probes.ports import named_port
from pilothouse.runtime.clock import Clock


class ProbeError(Exception):
    """The probe could not be made."""


class Outcome(Enum):
    """What an answer counts as. A warning is a success that is worth an event."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and the text that goes with it."""

    outcome: Outcome
    output: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask, and what."""

    container: Container
    container_id: str
    address: str
    """The pod's."""
    probe: Probe

    @property
    def timeout(self) -> float:
        """Seconds the answer may take."""
        return float(self.probe.timeoutSeconds or 1)

    def port(self, port: int | str | None) -> int:
        """The number of a port of the container. Raises ProbeError."""
        try:
            return named_port(self.container, port)
        except ValueError as error:
            raise ProbeError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Means:
    """What handlers work with."""

    cri: Cri
    clock: Clock
    fetch: Fetch


class Handler:
    """Asks in one way."""

    field: ClassVar[str]
    """The probe's field that asks for it."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def ask(self, target: Target) -> Answer:
        """Ask once, within the target's timeout. Raises ProbeError."""
        raise NotImplementedError
