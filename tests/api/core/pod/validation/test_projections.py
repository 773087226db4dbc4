"""Rules of projected volumes. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.projections import validate_projected
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

TOKEN: JsonObject = {"path": "t", "expirationSeconds": 3600}
CERTIFICATE: JsonObject = {"signerName": "example.com/a", "keyType": "ED25519", "keyPath": "key.pem"}
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


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
        ({"clusterTrustBundle": {"path": "x", "name": "example.com:a:1"}}, []),
        ({"clusterTrustBundle": {"path": "x", "signerName": "example.com/a"}}, []),
        (
            {"clusterTrustBundle": {"path": "x", "name": ":a"}},
            [('p.sources[0].clusterTrustBundle.name: Invalid value: ":a": not a valid clustertrustbundlename: '
              'ClusterTrustBundle without signer name must not have ":" in its name')],
        ),
        (
            {"clusterTrustBundle": {"path": "x", "name": "example.com:a:A"}},
            [('p.sources[0].clusterTrustBundle.name: Invalid value: "example.com:a:A": not a valid '
              f"clustertrustbundlename: {SUBDOMAIN}")],
        ),
        (
            {"clusterTrustBundle": {"path": "x", "signerName": "one/a"}},
            [('p.sources[0].clusterTrustBundle.signerName: Invalid value: "one": should be a domain with at least two '
              "segments separated by dots")],
        ),
        ({"podCertificate": CERTIFICATE}, []),
        ({"podCertificate": {**CERTIFICATE, "maxExpirationSeconds": 3600}}, []),
        ({"podCertificate": {**CERTIFICATE, "maxExpirationSeconds": 7862400}}, []),
        (
            {"podCertificate": {**CERTIFICATE, "maxExpirationSeconds": 3599}},
            [("p.sources[0].podCertificate.maxExpirationSeconds: Invalid value: 3599: if provided, maxExpirationSeconds "
              "must be >= 3600")],
        ),
        (
            {"podCertificate": {**CERTIFICATE, "maxExpirationSeconds": 7862401}},
            [("p.sources[0].podCertificate.maxExpirationSeconds: Invalid value: 7862401: if provided, "
              "maxExpirationSeconds must be <= 7862400")],
        ),
        (  # assumed
            {"podCertificate": {**CERTIFICATE, "signerName": "kubernetes.io/a", "maxExpirationSeconds": 86401}},
            [("p.sources[0].podCertificate.maxExpirationSeconds: Invalid value: 86401: if provided, maxExpirationSeconds "
              "must be <= 86400")],
        ),
        (  # assumed
            {"podCertificate": {**CERTIFICATE, "signerName": "", "keyType": "DSA"}},
            ["p.sources[0].podCertificate.signerName: Required value",
             ('p.sources[0].podCertificate.keyType: Unsupported value: "DSA": supported values: "ECDSAP256", "ECDSAP384", '
              '"ECDSAP521", "ED25519", "RSA3072", "RSA4096"')],
        ),
        ({"podCertificate": {**CERTIFICATE, "userAnnotations": {"example.com/a": "b"}}}, []),
        (  # assumed
            {"podCertificate": {**CERTIFICATE, "userAnnotations": {"a": "b"}}},
            [('p.sources[0].podCertificate.userAnnotations: Invalid value: "a": must include a prefix (e.g. '
              "'example.com/key')")],
        ),
        (  # assumed
            {"podCertificate": {"signerName": "example.com/b", "keyType": "ED25519"}},
            [("p.sources[0].podCertificate: Required value: specify at least one of credentialBundlePath, keyPath, and "
             "certificateChainPath")],
        ),
    ],
)  # fmt: skip
def test_projections(source: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_projected({"sources": [source]}, errors, "p")
    assert [str(error) for error in errors] == expected
