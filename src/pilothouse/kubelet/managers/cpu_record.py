"""Which processors are whose: those that all share, and those of single containers. On disk, for the next kubelet.

The file is upstream's, but for its checksum. Upstream: pkg/kubelet/cm/cpumanager/state.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from pilothouse.kubelet.managers.cpu_list import Cpus, parse, text
from pilothouse.kubelet.managers.policy import STATIC
from pilothouse.runtime.log import Log
from pilothouse.runtime.whole_file import write_whole

log = Log(__name__)
FILE = "cpu_manager_state"


@dataclass(slots=True)
class CpuRecord:
    """Of one node; `directory` is the kubelet's."""

    directory: Path
    shared: Cpus = frozenset()
    own: dict[str, dict[str, Cpus]] = field(default_factory=dict)
    """By uid and container."""

    @classmethod
    def read(cls, directory: Path, policy: str = STATIC) -> "CpuRecord":
        """As the last kubelet left it; empty without one. Raises ValueError when it is not to be understood."""
        path = directory / FILE
        try:
            known = orjson.loads(path.read_bytes())
            before, shared, entries = known["policyName"], parse(known["defaultCpuSet"]), known.get("entries", {})
            own = {uid: {name: parse(cpus) for name, cpus in each.items()} for uid, each in entries.items()}
            if before != policy:
                raise ValueError(f'configured policy "{policy}" differs from state checkpoint policy "{before}"')
        except FileNotFoundError:
            return cls(directory)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            why = str(error) if isinstance(error, ValueError) else "checkpoint is corrupted"
            raise ValueError(
                f"could not restore state from checkpoint: {why}, please drain this node and delete the CPU manager "
                f'checkpoint file "{path}" before restarting Kubelet'
            ) from error
        return cls(directory, shared, own)

    def check(self, everything: Cpus, allowed: Cpus, reserved: Cpus) -> None:
        """Whether it is of this machine: `allowed` are those that are shared or somebody's. Raises ValueError."""
        if not self.shared and not self.own:
            self.shared = allowed
            return
        if not self.shared:
            raise ValueError("default cpuset cannot be empty")
        known = self.shared
        for uid, each in self.own.items():
            for name, cpus in each.items():
                if cpus & self.shared:
                    raise ValueError(
                        f'pod: {uid}, container: {name} cpuset: "{text(cpus)}" overlaps with default cpuset '
                        f'"{text(self.shared)}"'
                    )
                known |= cpus
        kept = reserved & allowed
        if not kept <= self.shared:
            raise ValueError(
                f'not all reserved cpus: "{text(reserved)}" are present in defaultCpuSet: "{text(self.shared)}"'
            )
        if known != allowed:
            raise ValueError(
                f'current set of available CPUs "{text(everything)}" doesn\'t match with CPUs in state "{text(known)}"'
            )

    def give(self, uid: str, container: str, cpus: Cpus) -> None:
        """Have these be a container's own."""
        self.shared -= cpus
        self.own.setdefault(uid, {})[container] = cpus
        self._write()

    def take_back(self, uid: str, container: str) -> None:
        """Share again what the container had, but for what another container of its pod has too."""
        theirs = self.own.get(uid, {})
        cpus = theirs.pop(container, None)
        if cpus is None:
            return
        if not theirs:
            del self.own[uid]
        self.shared |= cpus.difference(*theirs.values())
        self._write()

    def keep(self, uids: Collection[str]) -> None:
        """Take back what all other pods have."""
        for uid in [uid for uid in self.own if uid not in uids]:
            for container in list(self.own[uid]):
                self.take_back(uid, container)

    def save(self) -> None:
        """Write it down even if nothing changes."""
        self._write()

    def _write(self) -> None:
        own = {uid: {name: text(cpus) for name, cpus in each.items()} for uid, each in self.own.items()}
        known = {"policyName": STATIC, "defaultCpuSet": text(self.shared), "entries": own}
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o750)
            write_whole(self.directory / FILE, orjson.dumps(known))
        except OSError as error:
            log.error("Failed to store state to checkpoint", err=str(error))
