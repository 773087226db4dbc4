"""Who uses a volume: known from this kubelet's work and the last one's."""

from pathlib import Path

from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords
from pilothouse.kubelet.volume_users import VolumeUsers


def record(uid: str, key: str = "k", *, mounted: bool = True, attachable: bool = False) -> VolumeRecord:
    details = {"key": key, "mounted": mounted, "attachable": attachable}
    return VolumeRecord(uid, "persistent-claim", "v", details=details)


def test_users_are_found_on_the_disk(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path)
    records = VolumeRecords(layout)
    for one in (record("a"), record("b", mounted=False), record("c", "other"), VolumeRecord("d", "empty-dir", "v")):
        records.write(one)
    users = VolumeUsers(layout)
    assert users.others("k", "a", "v")
    assert users.mounted_elsewhere("k", "b")
    assert not users.mounted_elsewhere("k", "a")
    assert not users.others("other", "c", "v")
    users.forget(record("a"))
    assert not users.others("k", "b", "v")


def test_one_pod_may_have_a_volume_twice(tmp_path: Path) -> None:
    users = VolumeUsers(Layout(tmp_path, tmp_path))
    users.note(record("a"))
    assert users.others("k", "a", "w")
    assert not users.mounted_elsewhere("k", "a")


def test_what_must_stay_attached(tmp_path: Path) -> None:
    users = VolumeUsers(Layout(tmp_path, tmp_path))
    assert users.attachable() == []
    users.note(record("a", "z", attachable=True, mounted=False))
    users.note(record("b", "y", attachable=True))
    users.note(record("c", "x"))
    assert users.attachable() == ["y", "z"]
    users.forget(record("b", "y"))
    assert users.attachable() == ["z"]


def test_a_lock_for_each_volume_for_as_long_as_somebody_has_it(tmp_path: Path) -> None:
    users = VolumeUsers(Layout(tmp_path, tmp_path))
    mine = users.lock("k")
    assert users.lock("k") is mine
    assert users.lock("other") is not mine
