"""What volumes show of ConfigMaps, Secrets and the downward API, as upstream's MakePayload and CollectData have it."""

from typing import Any

import pytest

from kubelet.observing import containers, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ConfigMap, DownwardAPIVolumeFile, KeyToPath, Secret
from pilothouse.kubelet.environment import Facts
from pilothouse.kubelet.payloads import config_map_payload, downward_payload, secret_payload
from pilothouse.kubelet.volume import VolumeError

MAP = ConfigMap({"data": {"b": "two", "a": "one"}, "binaryData": {"raw": "/wA="}})
SECRET = Secret({"data": {"k": "c2VjcmV0"}})


def shown(source: Any, items: list[JsonObject], *, optional: bool = False) -> dict[str, tuple[bytes, int]]:
    keys = [KeyToPath(item) for item in items]
    if isinstance(source, Secret) or source == "secret":
        found = secret_payload(source if source != "secret" else None, "s", keys, 0o600, optional=optional)
    else:
        found = config_map_payload(source, "c", keys, 0o600, optional=optional)
    return {name: (content.data, content.mode) for name, content in found.items()}


@pytest.mark.parametrize(("source", "items", "optional", "expected"), [
    (MAP, [], False, {"a": (b"one", 0o600), "b": (b"two", 0o600), "raw": (b"\xff\x00", 0o600)}),
    (MAP, [{"key": "a", "path": "x/y"}], False, {"x/y": (b"one", 0o600)}),
    (MAP, [{"key": "raw", "path": "r", "mode": 0o400}], False, {"r": (b"\xff\x00", 0o400)}),
    (MAP, [{"key": "a", "path": "x", "mode": 0}], False, {"x": (b"one", 0)}),
    (MAP, [{"key": "none", "path": "x"}, {"key": "a", "path": "a"}], True, {"a": (b"one", 0o600)}),
    (None, [], True, {}),
    (None, [{"key": "a", "path": "a"}], True, {}),
    (SECRET, [], False, {"k": (b"secret", 0o600)}),
    (SECRET, [{"key": "k", "path": "x"}], False, {"x": (b"secret", 0o600)}),
    ("secret", [], True, {}),
])  # fmt: skip
def test_files(source: Any, items: list[JsonObject], optional: bool, expected: dict[str, tuple[bytes, int]]) -> None:
    assert shown(source, items, optional=optional) == expected


@pytest.mark.parametrize(("source", "items", "message"), [
    (MAP, [{"key": "none", "path": "x"}], "configmap references non-existent config key: none"),
    (SECRET, [{"key": "none", "path": "x"}], "references non-existent secret key: none"),
    (None, [], 'configmap "c" not found'),
    ("secret", [], 'secret "s" not found'),
])  # fmt: skip
def test_what_is_missing_is_said(source: Any, items: list[JsonObject], message: str) -> None:
    with pytest.raises(VolumeError) as found:
        shown(source, items)
    assert str(found.value) == message


def test_the_downward_api() -> None:
    limits = {"limits": {"cpu": "2"}}
    one = pod(metadata={"labels": {"b": "2", "a": "1"}}, containers=containers("app", resources=limits))
    items: list[JsonObject] = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}, "mode": 0o400},
        {"path": "cpu/limit", "resourceFieldRef": {"containerName": "app", "resource": "limits.cpu"}},
    ]
    found = downward_payload(one, [DownwardAPIVolumeFile(item) for item in items], 0o644, Facts())
    assert {name: (content.data, content.mode) for name, content in found.items()} == {
        "labels": (b'a="1"\nb="2"', 0o400), "cpu/limit": (b"2", 0o644),
    }  # fmt: skip


def test_a_field_that_is_not_offered_keeps_the_volume_from_being_made() -> None:
    item = DownwardAPIVolumeFile({"path": "x", "fieldRef": {"fieldPath": "spec.priority"}})
    with pytest.raises(VolumeError, match="unsupported fieldPath"):
        downward_payload(pod(), [item], 0o644, Facts())
