"""Which memory is whose, of which NUMA nodes. On disk, for the next kubelet.

The file is upstream's, but for its checksum. Upstream: pkg/kubelet/cm/memorymanager/state.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.managers.memory_ledger import Amounts, Block, Ledger, Place, assign, release, same
from pilothouse.kubelet.managers.memory_policy import NONE, STATIC
from pilothouse.runtime.log import Log
from pilothouse.runtime.whole_file import write_whole

log = Log(__name__)
FILE = "memory_manager_state"
_CORRUPT = "checkpoint is corrupted"
_AMOUNTS = (
    ("total", "total"), ("system", "systemReserved"), ("allocatable", "allocatable"), ("reserved", "reserved"),
    ("free", "free"),
)  # fmt: skip
"""Ours and the file's names."""


@dataclass(slots=True)
class MemoryRecord:
    """Of one node; `directory` is the kubelet's."""

    directory: Path
    ledger: Ledger = field(default_factory=dict)
    own: dict[str, dict[str, tuple[Block, ...]]] = field(default_factory=dict)
    """By uid and container."""

    @classmethod
    def read(cls, directory: Path, policy: str = STATIC) -> "MemoryRecord":
        """As the last kubelet left it; empty without one. Raises ValueError when it is not to be understood."""
        path = directory / FILE
        try:
            known = orjson.loads(path.read_bytes())
            if known["policyName"] == policy == NONE:
                # Another kubelet's, by its own checksum: nobody has anything.
                return cls(directory)
            if known.pop("checksum") != _checksum(known):
                raise ValueError(_CORRUPT)
            if known["policyName"] != policy:
                before = known["policyName"]
                raise ValueError(
                    f'[memorymanager] configured policy "{policy}" differs from state checkpoint policy "{before}"'
                )
            ledger = {int(node): _place(place) for node, place in known["machineState"].items()}
            own = {uid: _blocks(containers) for uid, containers in known.get("entries", {}).items()}
        except FileNotFoundError:
            return cls(directory)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            why = str(error) if isinstance(error, ValueError) else _CORRUPT
            raise ValueError(
                f"could not restore state from checkpoint: {why}, please drain this node and delete the memory manager "
                f'checkpoint file "{path}" before restarting Kubelet'
            ) from error
        return cls(directory, ledger, own)

    def check(self, untouched: Ledger) -> None:
        """Whether it is of this machine, and of what is kept of it now. Raises ValueError."""
        if not self.ledger:
            if self.own:
                raise ValueError("[memorymanager] machine state can not be empty when it has memory assignments")
            self.ledger = untouched
            return
        for uid, containers in self.own.items():
            for name, blocks in containers.items():
                for block in blocks:
                    if why := _foreign(block, untouched):
                        raise ValueError(
                            f"[memorymanager] (pod: {uid}, container: {name}) the memory assignment uses {why}"
                        )
                    assign(untouched, block, block.size)
        if not same(self.ledger, untouched):
            raise ValueError("[memorymanager] the expected machine state is different from the real one")

    def give(self, uid: str, container: str, blocks: Sequence[Block], fresh: Mapping[str, int]) -> None:
        """Have these be a container's own. `fresh`: how much of each kind its pod has not had before."""
        for block in blocks:
            assign(self.ledger, block, fresh[block.kind])
        self.own.setdefault(uid, {})[container] = tuple(blocks)

    def take_back(self, uid: str, container: str) -> None:
        """Let others have what the container had."""
        theirs = self.own.get(uid, {})
        blocks = theirs.pop(container, None)
        if blocks is None:
            return
        if not theirs:
            del self.own[uid]
        for block in blocks:
            release(self.ledger, block)
        self.save()

    def keep(self, uids: Collection[str]) -> None:
        """Take back what all other pods have."""
        for uid in [uid for uid in self.own if uid not in uids]:
            for container in list(self.own[uid]):
                self.take_back(uid, container)

    def save(self) -> None:
        """Write it down, if the disk lets us."""
        known: JsonObject = {
            "policyName": STATIC,
            "machineState": {str(node): _written(place) for node, place in sorted(self.ledger.items())},
        }
        if self.own:
            known["entries"] = {
                uid: {name: [_entry(block) for block in blocks] for name, blocks in containers.items()}
                for uid, containers in self.own.items()
            }
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o750)
            write_whole(self.directory / FILE, orjson.dumps({**known, "checksum": _checksum(known)}))
        except OSError as error:
            log.error("Failed to store state to checkpoint", err=str(error))


def _foreign(block: Block, ledger: Ledger) -> str:
    if any(node not in ledger for node in block.nodes):
        return "the NUMA that does not exist"
    if any(block.kind not in ledger[node].kinds for node in block.nodes):
        return "memory resource that does not exist"
    return ""


def _written(place: Place) -> JsonObject:
    kinds = {kind: asdict(amounts) for kind, amounts in sorted(place.kinds.items())}
    return {
        "numberOfAssignments": place.assignments,
        "memoryMap": {kind: {theirs: each[ours] for ours, theirs in _AMOUNTS} for kind, each in kinds.items()},
        "cells": list(place.group),
    }


def _place(known: Mapping[str, Any]) -> Place:
    kinds = {
        kind: Amounts(**{ours: int(each[theirs]) for ours, theirs in _AMOUNTS})
        for kind, each in known["memoryMap"].items()
    }
    return Place(int(known["numberOfAssignments"]), kinds, tuple(sorted(known["cells"])))


def _entry(block: Block) -> JsonObject:
    return {"numaAffinity": list(block.nodes), "type": block.kind, "size": block.size}


def _blocks(containers: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, tuple[Block, ...]]:
    return {
        name: tuple(Block(tuple(sorted(one["numaAffinity"])), one["type"], int(one["size"])) for one in listed)
        for name, listed in containers.items()
    }


def _checksum(known: JsonObject) -> int:
    return zlib.crc32(orjson.dumps(known))
