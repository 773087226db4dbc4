"""Secret. Sources: TestValidateSecret* in pkg/apis/core/validation/validation_test.go, TestSetDefaultSecret.

*assumed*: the words for content that is no JSON; upstream has those of Go's decoder, which we do not repeat.
"""

import base64
from typing import Any

import pytest

from pilothouse.api.core.config_map import MAX_SIZE
from pilothouse.api.core.secret import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

REDACTED = 'Invalid value: "<secret contents redacted>"'


def _errors(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    if old is not None:
        RESOURCE.validate_update(obj, old, errors)
    return [str(error) for error in errors]


def test_default() -> None:
    obj = {"stringData": {"a": "hällo", "b": ""}, "data": {"a": "eA==", "c": "eQ=="}}
    RESOURCE.default(obj)
    assert obj == {"data": {"a": "aMOkbGxv", "b": "", "c": "eQ=="}, "type": "Opaque"}
    RESOURCE.default(obj)
    assert obj["data"]["a"] == "aMOkbGxv"


@pytest.mark.parametrize(
    ("kind", "data", "wrong"),
    [
        ("Opaque", {}, []),
        ("example.com/mine", {"x": ""}, []),
        ("kubernetes.io/tls", {"tls.crt": "", "tls.key": ""}, []),
        ("kubernetes.io/tls", {}, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        ("kubernetes.io/basic-auth", {"password": ""}, []),
        ("kubernetes.io/basic-auth", {}, ["data[username]: Required value", "data[password]: Required value"]),
        ("kubernetes.io/ssh-auth", {"ssh-privatekey": "eA=="}, []),
        ("kubernetes.io/ssh-auth", {"ssh-privatekey": ""}, ["data[ssh-privatekey]: Required value"]),
        ("kubernetes.io/dockercfg", {".dockercfg": "e30="}, []),
        ("kubernetes.io/dockercfg", {}, ["data[.dockercfg]: Required value"]),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": "e30="}, []),
        (
            "kubernetes.io/dockerconfigjson",
            {".dockerconfigjson": ""},
            [f"data[.dockerconfigjson]: {REDACTED}: unexpected end of JSON input"],
        ),
        (
            "kubernetes.io/dockerconfigjson",
            {".dockerconfigjson": "W10="},
            [
                (
                    f"data[.dockerconfigjson]: {REDACTED}: json: cannot unmarshal array into Go value of type "
                    "map[string]interface {}"
                )
            ],
        ),
        (
            "kubernetes.io/dockercfg",
            {".dockercfg": "eyJhIjpofQ=="},
            [f"data[.dockercfg]: {REDACTED}: invalid character 'h' looking for beginning of value"],
        ),
    ],
)
def test_types(kind: str, data: dict[str, str], wrong: list[str]) -> None:
    assert _errors({"type": kind, "data": data}) == wrong


def test_content_never_shows_in_a_message() -> None:
    found = _errors({"type": "kubernetes.io/dockercfg", "data": {".dockercfg": "eyJhIjpodW50ZXIyfQ=="}})
    assert len(found) == 1
    assert "hunter2" not in found[0]


def test_service_account_token() -> None:
    obj: dict[str, Any] = {"type": "kubernetes.io/service-account-token", "metadata": {}}
    assert _errors(obj) == ["metadata.annotations[kubernetes.io/service-account.name]: Required value"]
    obj["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "default"}
    assert _errors(obj) == []


def test_size_and_keys() -> None:
    assert _errors({"data": {"a": "AAAA" * (MAX_SIZE // 3 + 1)}}) == [
        "data: Too long: may not be more than 1048576 bytes"
    ]
    assert [error.partition(":")[0] for error in _errors({"data": {"a b": ""}})] == ["data[a b]"]


def test_update() -> None:
    assert _errors({"type": "x"}, {"type": "Opaque"}) == ['type: Invalid value: "x": field is immutable']
    fixed = "field is immutable when `immutable` is set"
    assert _errors({"data": {"a": ""}}, {"immutable": True}) == [
        f"immutable: Forbidden: {fixed}",
        f"data: Forbidden: {fixed}",
    ]


def test_columns() -> None:
    obj = {"type": "Opaque", "data": {"a": ""}}
    assert [(c.name, c.cell(obj, 0)) for c in RESOURCE.columns][:2] == [("Type", "Opaque"), ("Data", 1)]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"[" * 5000 + b"]" * 5000, "exceeded max depth"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "exceeded max depth"),
        (b'{"a":' + b"9" * 5000 + b"}", f"json: cannot unmarshal number {'9' * 5000} into Go value of type float64"),
        (b'{"a":"\xff"}', ""),
    ],
)
def test_content_that_is_hard_to_read(content: bytes, wrong: str) -> None:
    """*Ours*: upstream reads ten thousand levels."""
    data = {".dockerconfigjson": base64.b64encode(content).decode()}
    found = _errors({"metadata": {"name": "s"}, "type": "kubernetes.io/dockerconfigjson", "data": data})
    assert found == ([f"data[.dockerconfigjson]: {REDACTED}: {wrong}"] if wrong else [])
