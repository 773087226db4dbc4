"""Who has which devices, on paper too."""

from pathlib import Path

import orjson
import pytest

from pilothouse.kubelet.devices import handed_out
from pilothouse.kubelet.devices.handed_out import FILE, Handed, HandedOut, contribution
from pilothouse.kubelet.devices.stock import Device
from pilothouse.kubelet.devices.table import messages


def response(**fields: object) -> bytes:
    return bytes(messages()["ContainerAllocateResponse"](**fields).SerializeToString())


def handed(*devices: Device, **fields: object) -> Handed:
    return Handed.of(devices, response(**fields))


def test_what_containers_have_until_they_are_gone() -> None:
    known = HandedOut()
    known.add("u1", "app", "r", handed(Device("a", nodes=(0, 1)), Device("b")))
    known.add("u1", "other", "r", handed(Device("c")))
    known.add("u2", "app", "s", handed(Device("x")))
    assert known.in_use() == {"r": {"a", "b", "c"}, "s": {"x"}}
    assert known.of("u1", "app")["r"].devices() == [Device("a", nodes=(0, 1)), Device("b")]
    known.take_back("u1", "app", "r")
    assert (known.of("u1", "app"), known.has("u1")) == ({}, True)
    known.take_back("u1", "other", "r")
    assert not known.has("u1")
    known.keep({"u3"})
    assert known.in_use() == {}


def test_the_record_has_upstreams_form_and_is_read_again(tmp_path: Path) -> None:
    known, again = HandedOut(), HandedOut()
    one = handed(Device("a", nodes=(0,)), Device("b"), envs={"A": "1"})
    known.add("u1", "app", "example.com/foo", one)
    assert handed_out.read(tmp_path, again) == []
    handed_out.write(tmp_path / "d", known, {"example.com/foo": ["a", "b"]})
    data = orjson.loads((tmp_path / "d" / FILE).read_bytes())["Data"]
    assert data["RegisteredDevices"] == {"example.com/foo": ["a", "b"]}
    (entry,) = data["PodDeviceEntries"]
    assert entry.pop("AllocResp")
    assert entry == {
        "PodUID": "u1", "ContainerName": "app", "ResourceName": "example.com/foo",
        "DeviceIDs": {"-1": ["b"], "0": ["a"]},
    }  # fmt: skip
    assert handed_out.read(tmp_path / "d", again) == ["example.com/foo"]
    assert again.of("u1", "app") == {"example.com/foo": one}


@pytest.mark.parametrize("spoil", [b"", b"[]", b'{"Data": {}, "Checksum": 1}', b'{"Data": 1'])
def test_a_record_that_cannot_be_read_is_none(spoil: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(spoil)
    known = HandedOut()
    assert handed_out.read(tmp_path, known) == []
    assert known.in_use() == {}


def test_a_changed_record_is_none(tmp_path: Path) -> None:
    known = HandedOut()
    known.add("u1", "app", "r", handed(Device("a")))
    handed_out.write(tmp_path, known, {"r": ["a"]})
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes().replace(b'"u1"', b'"u2"'))
    assert handed_out.read(tmp_path, HandedOut()) == []


def test_a_container_gets_what_all_its_plugins_want_and_the_first_wins() -> None:
    device = {"container_path": "/dev/x", "host_path": "/dev/null", "permissions": "rw"}
    one = handed(
        Device("a"), envs={"A": "1", "B": "2"}, annotations={"n": "1"}, devices=[device],
        mounts=[{"container_path": "/m", "host_path": "/h", "read_only": True}], cdi_devices=[{"name": "v/c=1"}],
    )  # fmt: skip
    two = handed(
        Device("b"), envs={"A": "9", "C": "3"}, annotations={"n": "9"}, devices=[{**device, "host_path": "/dev/zero"}],
        mounts=[{"container_path": "/m", "host_path": "/other"}], cdi_devices=[{"name": "v/c=1"}, {"name": "v/c=2"}],
    )  # fmt: skip
    given = contribution({"s": two, "r": one})
    assert given.envs == {"A": "1", "B": "2", "C": "3"}
    assert given.annotations == {"n": "1"}
    assert given.devices == (device,)
    assert given.mounts == ({"container_path": "/m", "host_path": "/h", "readonly": True},)
    assert given.cdi == ("v/c=1", "v/c=2")
