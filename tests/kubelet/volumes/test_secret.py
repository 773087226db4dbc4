"""Secrets as files, which lie in memory alone."""

from pathlib import Path

import pytest

from kubelet.observing import pod
from kubelet.volumes.setting_up import Place, mode, texts
from pilothouse.kubelet.volume import VolumeError


def test_a_secret_lies_in_memory(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.objects.secrets["s"] = {"data": {"k": "c2VjcmV0"}}
    made = place.set_up(pod(volumes=[{"name": "v", "secret": {"secretName": "s", "defaultMode": 0o400}}]))
    assert made == {"v": place.layout.volume("uid-web", "secret", "v")}
    assert place.mounter.is_mounted(made["v"])
    assert texts(made["v"]) == {"k": "secret"}
    assert mode(made["v"] / "k") == 0o400


def test_a_missing_one_keeps_the_pod_waiting_unless_it_is_optional(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with pytest.raises(VolumeError, match='secret "s" not found'):
        place.set_up(pod(volumes=[{"name": "v", "secret": {"secretName": "s"}}]))
    made = place.set_up(pod(volumes=[{"name": "v", "secret": {"secretName": "s", "optional": True}}]))
    assert texts(made["v"]) == {}
