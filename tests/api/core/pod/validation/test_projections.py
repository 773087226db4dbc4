"""Rules of projected volumes. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.projections import validate_projected
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

TOKEN: JsonObject = {"path": "t", "expirationSeconds": 3600}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"serviceAccountToken": TOKEN}, []),
        (
            {"serviceAccountToken": {**TOKEN, "expirationSeconds": 599}},
            [("p.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less than "
             "10 minutes")],
        ),
        (
            {"serviceAccountToken": {**TOKEN, "expirationSeconds": 1 << 33}},
            [("p.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 8589934592: may not specify a duration "
             "larger than 2^32 seconds")],
        ),
        ({"serviceAccountToken": {"expirationSeconds": 3600}}, ["p.path: Required value"]),
        ({"serviceAccountToken": {**TOKEN, "path": "../t"}}, ["p.path: Invalid value: \"../t\": must not contain '..'"]),
        ({"configMap": {}}, ["p.sources[0].configMap.name: Required value"]),
        ({"secret": {"name": "s", "items": [{"key": "a"}]}},
         ["p.sources[0].secret.items[0].path: Required value"]),
        (
            {"configMap": {"name": "a", "items": [{"key": "a", "path": "x"}, {"key": "b", "path": "x"}]}},
            ['p: Invalid value: "a": conflicting duplicate paths'],
        ),
        (
            {"configMap": {"name": "a"}, "secret": {"name": "a"}},
            ["p.sources[0]: Forbidden: may not specify more than 1 volume type per source"],
        ),
        (
            {"clusterTrustBundle": {"path": "x"}},
            ["p.sources[0].clusterTrustBundle: Required value: either name or signerName must be specified"],
        ),
        ({"clusterTrustBundle": {"path": "x", "name": "a"}}, []),
        (
            {"clusterTrustBundle": {"name": "a"}},
            ["p.sources[0].clusterTrustBundle.path: Required value"],
        ),
        (  # assumed
            {"podCertificate": {"signerName": "a/b", "keyType": "ED25519"}},
            [("p.sources[0].podCertificate: Required value: specify at least one of credentialBundlePath, keyPath, and "
             "certificateChainPath")],
        ),
    ],
)  # fmt: skip
def test_projections(source: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_projected({"sources": [source]}, errors, "p")
    assert [str(error) for error in errors] == expected
