"""Directories for scratch data."""

from pathlib import Path

import pytest

from kubelet.observing import containers, pod
from kubelet.volumes.setting_up import GROUP, Place, mode
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.volume import VolumeError

MI = 1 << 20


def one(source: JsonObject, memory: str = "", **context: int) -> JsonObject:
    limits = {"limits": {"memory": memory}} if memory else {}
    return {"volumes": [{"name": "v", "emptyDir": source}], "securityContext": context,
            "containers": containers("app", resources=limits)}  # fmt: skip


def test_everybody_may_write_and_what_is_written_stays(tmp_path: Path) -> None:
    place = Place(tmp_path)
    made = place.set_up(pod(**one({})))
    assert made == {"v": place.layout.volume("uid-web", "empty-dir", "v")}
    assert mode(made["v"]) == 0o777
    (made["v"] / "x").touch()
    made["v"].chmod(0o700)
    place.set_up(pod(**one({})))
    assert (made["v"] / "x").exists()
    assert mode(made["v"]) == 0o700


def test_with_a_group_what_is_made_in_it_is_the_groups(tmp_path: Path) -> None:
    made = Place(tmp_path).set_up(pod(**one({}, fsGroup=GROUP)))
    assert (mode(made["v"]), made["v"].stat().st_gid) == (0o2777, GROUP)


@pytest.mark.parametrize(("limit", "memory", "size"), [
    ("", "", 1024 * MI), ("64Mi", "", 64 * MI), ("2Gi", "", 1024 * MI), ("", "128Mi", 128 * MI),
    ("64Mi", "128Mi", 64 * MI), ("256Mi", "128Mi", 128 * MI), ("0", "", 1024 * MI),
])  # fmt: skip
def test_in_memory_it_is_no_larger_than_the_pod_may_get(tmp_path: Path, limit: str, memory: str, size: int) -> None:
    place = Place(tmp_path)
    source = {"medium": "Memory"} | ({"sizeLimit": limit} if limit else {})
    made = place.set_up(pod(**one(source, memory)))
    assert place.sizes == {made["v"]: size}
    assert mode(made["v"]) == 0o777


def test_another_medium_is_not_offered(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match='unknown storage medium "HugePages"'):
        Place(tmp_path).set_up(pod(**one({"medium": "HugePages"})))
