"""Whose memory is whose outlives the kubelet. The file: pkg/kubelet/cm/memorymanager/state/checkpoint.go."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from kubelet.managers.machines import GI, ledger
from pilothouse.kubelet.managers.memory_ledger import Block, Ledger, same
from pilothouse.kubelet.managers.memory_record import FILE, MemoryRecord


def record(directory: Path, books: Ledger | None = None) -> MemoryRecord:
    found = MemoryRecord.read(directory)
    found.check(books or ledger(4, 2, kept=1))
    return found


def give(to: MemoryRecord, container: str, *blocks: Block) -> None:
    to.give("u", container, blocks, {block.kind: block.size for block in blocks})
    to.save()


def test_what_was_given_is_known_to_the_next(tmp_path: Path) -> None:
    first = record(tmp_path / "kubelet")
    give(first, "app", Block((0,), "memory", 2 * GI))
    known = orjson.loads((tmp_path / "kubelet" / FILE).read_bytes())
    assert isinstance(known.pop("checksum"), int)
    assert known == {
        "policyName": "Static",
        "machineState": {
            "0": {
                "numberOfAssignments": 1, "cells": [0],
                "memoryMap": {"memory": {
                    "total": 4 * GI, "systemReserved": GI, "allocatable": 3 * GI, "reserved": 2 * GI, "free": GI,
                }},
            },
            "1": {
                "numberOfAssignments": 0, "cells": [1],
                "memoryMap": {"memory": {
                    "total": 2 * GI, "systemReserved": 0, "allocatable": 2 * GI, "reserved": 0, "free": 2 * GI,
                }},
            },
        },
        "entries": {"u": {"app": [{"numaAffinity": [0], "type": "memory", "size": 2 * GI}]}},
    }  # fmt: skip
    again = record(tmp_path / "kubelet")
    assert again.own == {"u": {"app": (Block((0,), "memory", 2 * GI),)}}
    again.keep({"other"})
    again.take_back("u", "app")
    third = record(tmp_path / "kubelet")
    assert third.own == {}
    assert same(third.ledger, ledger(4, 2, kept=1))
    assert "entries" not in orjson.loads((tmp_path / "kubelet" / FILE).read_bytes())


def test_a_full_disk_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = MemoryRecord(tmp_path / "file", ledger(2))
    give(found, "app", Block((0,), "memory", GI))
    assert found.ledger[0].free("memory") == GI


def changed(directory: Path, **values: Any) -> None:
    path = directory / FILE
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **values}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "unexpected end"),
        (b"[]", "checkpoint is corrupted"),
        (b'{"policyName":"Static"}', "checkpoint is corrupted"),
        (b'{"policyName":"Static","machineState":{},"checksum":1}', "checkpoint is corrupted"),
    ],
)
def test_what_is_not_to_be_understood_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ValueError, match="could not restore state from checkpoint: ") as refused:
        MemoryRecord.read(tmp_path)
    assert why in str(refused.value)
    ending = f'drain this node and delete the memory manager checkpoint file "{tmp_path / FILE}" before restarting'
    assert f"{ending} Kubelet" in str(refused.value)


def test_what_has_been_changed_by_others_is_refused(tmp_path: Path) -> None:
    record(tmp_path).save()
    changed(tmp_path, entries={"u": {}})
    with pytest.raises(ValueError, match="checkpoint is corrupted"):
        MemoryRecord.read(tmp_path)


def test_the_record_of_another_policy_is_refused(tmp_path: Path) -> None:
    record(tmp_path).save()
    with pytest.raises(
        ValueError, match=r'\[memorymanager\] configured policy "None" differs from state checkpoint policy "Static"'
    ):
        MemoryRecord.read(tmp_path, "None")
    assert MemoryRecord.read(tmp_path / "elsewhere", "None").own == {}


def test_the_record_of_upstreams_kubelet_without_a_policy_is_no_hindrance(tmp_path: Path) -> None:
    """Its checksum is of what it has in its memory."""
    (tmp_path / FILE).write_bytes(b'{"policyName":"None","machineState":{},"checksum":4047876460}')
    assert MemoryRecord.read(tmp_path, "None").own == {}
    with pytest.raises(ValueError, match="checkpoint is corrupted"):
        MemoryRecord.read(tmp_path)


@pytest.mark.parametrize(
    ("block", "now", "why"),
    [
        (
            Block((0, 1), "memory", GI), ledger(4, kept=1),
            "(pod: u, container: app) the memory assignment uses the NUMA that does not exist",
        ),
        (Block((0,), "memory", GI), ledger(5, 2, kept=1), "the expected machine state is different from the real one"),
        (Block((0,), "memory", GI), ledger(4, 2, kept=2), "the expected machine state is different from the real one"),
    ],
)  # fmt: skip
def test_the_record_of_another_machine_is_refused(block: Block, now: Ledger, why: str, tmp_path: Path) -> None:
    give(record(tmp_path), "app", block)
    with pytest.raises(ValueError, match="memorymanager") as refused:
        record(tmp_path, now)
    assert str(refused.value) == f"[memorymanager] {why}"


def test_blocks_of_a_machine_without_nodes_or_pages_are_refused() -> None:
    found = MemoryRecord(Path(), {}, {"u": {"app": (Block((0,), "memory", GI),)}})
    with pytest.raises(ValueError, match="machine state can not be empty when it has memory assignments"):
        found.check(ledger(4))
    found = MemoryRecord(Path(), ledger(4), {"u": {"app": (Block((0,), "hugepages-2Mi", GI),)}})
    with pytest.raises(ValueError, match="uses memory resource that does not exist"):
        found.check(ledger(4))
