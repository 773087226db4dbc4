"""Whose processors are whose outlives the kubelet."""

from pathlib import Path

import orjson
import pytest

from pilothouse.kubelet.managers.cpu_list import parse
from pilothouse.kubelet.managers.cpu_record import FILE, CpuRecord

ALL = parse("0-3")


def written(directory: Path, shared: str, policy: str = "static", **own: dict[str, str]) -> CpuRecord:
    known = {"policyName": policy, "defaultCpuSet": shared, "entries": own}
    (directory / FILE).write_bytes(orjson.dumps(known))
    return CpuRecord.read(directory)


def test_what_was_given_is_known_to_the_next(tmp_path: Path) -> None:
    record = CpuRecord.read(tmp_path / "kubelet")
    record.check(ALL, ALL, parse("0"))
    record.give("u", "app", parse("1-2"))
    again = CpuRecord.read(tmp_path / "kubelet")
    assert (again.shared, again.own) == (parse("0,3"), {"u": {"app": parse("1-2")}})
    assert orjson.loads((tmp_path / "kubelet" / FILE).read_bytes()) == {
        "policyName": "static", "defaultCpuSet": "0,3", "entries": {"u": {"app": "1-2"}},
    }  # fmt: skip
    again.take_back("u", "app")
    again.take_back("u", "app")
    assert CpuRecord.read(tmp_path / "kubelet").shared == ALL


def test_what_another_of_the_pod_has_too_stays_its_own(tmp_path: Path) -> None:
    record = written(tmp_path, "0", u={"init": "1-2", "app": "1,3"})
    record.take_back("u", "init")
    assert (record.shared, record.own) == (parse("0,2"), {"u": {"app": parse("1,3")}})
    record.keep({"other"})
    assert (record.shared, record.own) == (ALL, {})


def test_a_full_disk_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    record = CpuRecord(tmp_path / "file", ALL)
    record.give("u", "app", parse("1"))
    assert record.shared == parse("0,2-3")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "unexpected end"),
        (b"[]", "checkpoint is corrupted"),
        (b'{"policyName":"static"}', "checkpoint is corrupted"),
        (
            b'{"policyName":"none","defaultCpuSet":""}',
            'configured policy "static" differs from state checkpoint policy "none"',
        ),
    ],
)
def test_what_is_not_to_be_understood_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ValueError, match="could not restore state from checkpoint: ") as refused:
        CpuRecord.read(tmp_path)
    assert why in str(refused.value)
    ending = f'drain this node and delete the CPU manager checkpoint file "{tmp_path / FILE}" before restarting Kubelet'
    assert str(refused.value).endswith(ending)


@pytest.mark.parametrize(
    ("shared", "own", "why"),
    [
        ("", "1", "default cpuset cannot be empty"),
        ("0-2", "2-3", 'pod: u, container: app cpuset: "2-3" overlaps with default cpuset "0-2"'),
        ("1-2", "0,3", 'not all reserved cpus: "0" are present in defaultCpuSet: "1-2"'),
        ("0-1", "2", 'current set of available CPUs "0-3" doesn\'t match with CPUs in state "0-2"'),
        ("0-3", "4", 'current set of available CPUs "0-3" doesn\'t match with CPUs in state "0-4"'),
    ],
)
def test_a_record_of_another_machine_is_refused(shared: str, own: str, why: str, tmp_path: Path) -> None:
    record = written(tmp_path, shared, u={"app": own})
    with pytest.raises(ValueError, match=r"cpu|CPU") as refused:
        record.check(ALL, ALL, parse("0"))
    assert str(refused.value) == why
