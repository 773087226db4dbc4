"""ConfigMaps as files."""

from pathlib import Path

import pytest

from kubelet.observing import pod
from kubelet.volumes.setting_up import GROUP, Place, mode, texts
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.volume import VolumeError


@pytest.mark.parametrize(("source", "context", "expected"), [
    ({}, {}, 0o644),
    ({"defaultMode": 0o400}, {}, 0o400),
    ({"defaultMode": 0}, {}, 0),
    ({"defaultMode": 0o400}, {"fsGroup": GROUP}, 0o440),
    ({"items": [{"key": "a", "path": "a", "mode": 0o600}]}, {}, 0o600),
])  # fmt: skip
def test_files_have_their_modes(tmp_path: Path, source: JsonObject, context: JsonObject, expected: int) -> None:
    place = Place(tmp_path)
    place.objects.config_maps["c"] = {"data": {"a": "1"}}
    volumes = [{"name": "v", "configMap": {"name": "c", **source}}]
    made = place.set_up(pod(volumes=volumes, securityContext=context))
    assert made == {"v": place.layout.volume("uid-web", "configmap", "v")}
    assert mode(made["v"] / "a") == expected
    assert mode(made["v"]) == 0o755
    if context:
        assert (made["v"] / "a").stat().st_gid == GROUP
    assert place.mounter.mounted == {}


def test_it_follows_the_config_map(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.objects.config_maps["c"] = {"data": {"a": "1"}}
    one = pod(volumes=[{"name": "v", "configMap": {"name": "c"}}])
    made = place.set_up(one, one, between=lambda: place.objects.config_maps.update(c={"data": {"b": "2"}}))
    assert texts(made["v"]) == {"b": "2"}


def test_a_missing_one_keeps_the_pod_waiting_unless_it_is_optional(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with pytest.raises(VolumeError, match='failed for volume "v" : configmap "c" not found'):
        place.set_up(pod(volumes=[{"name": "v", "configMap": {"name": "c"}}]))
    made = place.set_up(pod(volumes=[{"name": "v", "configMap": {"name": "c", "optional": True}}]))
    assert texts(made["v"]) == {}
