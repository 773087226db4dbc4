"""The record of claims in use is upstream's file, and is not taken when it is broken."""

import zlib
from pathlib import Path

import orjson
import pytest

from pilothouse.kubelet.dra import checkpoint
from pilothouse.kubelet.dra.claim_info import ClaimInfo, Device

DEVICE = Device("worker-1", "dev-1", ("test request",), ("example.com/example=cdi-example",))
UPSTREAM = (
    '{"kind":"DRACheckpoint","apiVersion":"checkpoint.dra.kubelet.k8s.io/v1","ClaimInfoStateList":[{"ClaimUID":'
    '"067798be","ClaimName":"example","Namespace":"default","PodUIDs":{"139cdb46":{}},"DriverState":'
    '{"test-driver.cdi.k8s.io":{"Devices":[{"PoolName":"worker-1","DeviceName":"dev-1","RequestNames":["test request"],'
    '"CDIDeviceIDs":["example.com/example=cdi-example"]}]}}}]}'
)


def info() -> ClaimInfo:
    return ClaimInfo("default", "example", "067798be", {"test-driver.cdi.k8s.io": (DEVICE,)}, {"139cdb46": None})


def test_upstreams_file_is_read(tmp_path: Path) -> None:
    written = {"Data": UPSTREAM, "Checksum": zlib.crc32(UPSTREAM.encode())}
    (tmp_path / checkpoint.FILE).write_bytes(orjson.dumps(written))
    assert checkpoint.read(tmp_path) == [info()]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert checkpoint.read(tmp_path) == []
    both = [info(), ClaimInfo("default", "b", "2", {"other": (), "one": (Device("p", "d", share="s"),)}, {"x": None})]
    checkpoint.write(tmp_path / "deeper", both)
    assert checkpoint.read(tmp_path / "deeper") == both
    assert [path.name for path in (tmp_path / "deeper").iterdir()] == ["dra_manager_state"]
    data = orjson.loads((tmp_path / "deeper" / checkpoint.FILE).read_bytes())["Data"]
    entry = orjson.loads(UPSTREAM)["ClaimInfoStateList"][0]
    entry["DriverState"]["test-driver.cdi.k8s.io"]["Devices"][0]["ShareID"] = None
    assert orjson.loads(data)["ClaimInfoStateList"][0] == entry


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b'{"Data":"{}","Checksum":1}', b'{"Data":1,"Checksum":1}',
        orjson.dumps({"Data": "{}", "Checksum": zlib.crc32(b"{}")}),
        orjson.dumps({"Data": "[1]", "Checksum": zlib.crc32(b"[1]")}),
    ],
)  # fmt: skip
def test_a_broken_file_is_for_somebody_to_look_at(content: bytes, tmp_path: Path) -> None:
    (tmp_path / checkpoint.FILE).write_bytes(content)
    with pytest.raises(ValueError, match="please drain this node and delete the DRA state file"):
        checkpoint.read(tmp_path)
