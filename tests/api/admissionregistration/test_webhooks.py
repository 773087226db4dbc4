"""Both kinds of webhook configuration. Source: pkg/apis/admissionregistration/validation/validation_test.go,
v1/defaults_test.go, apiserver/pkg/util/webhook/validation_test.go.
"""

from typing import Any

import pytest

from fakes.judged import created
from pilothouse.api.admissionregistration.mutating_webhook_configuration import RESOURCE as MUTATING
from pilothouse.api.admissionregistration.validating_webhook_configuration import RESOURCE as VALIDATING
from pilothouse.api.admissionregistration.webhooks import validate_service
from pilothouse.api.machinery.field import FieldErrors

HOOK: dict[str, Any] = {
    "name": "hook.example.com",
    "clientConfig": {"url": "https://example.com/x"},
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}
RULE = ("operations", "apiGroups", "apiVersions", "resources")
W = "webhooks[0]"
FORM = "; desired format: https://host[/path]"


@pytest.mark.parametrize(
    ("hook", "wrong"),
    [
        ({}, []),
        ({"name": ""}, [f"{W}.name: Required value"]),
        (
            {"name": "a.b"},
            [f'{W}.name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'],
        ),
        ({"failurePolicy": "X"}, [f'{W}.failurePolicy: Unsupported value: "X": supported values: "Fail", "Ignore"']),
        ({"matchPolicy": "X"}, [f'{W}.matchPolicy: Unsupported value: "X": supported values: "Equivalent", "Exact"']),
        ({"sideEffects": None}, [f"{W}.sideEffects: Required value: must specify one of None, NoneOnDryRun"]),
        (
            {"sideEffects": "Some"},
            [f'{W}.sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
        ),
        (
            {"timeoutSeconds": 31},
            [f"{W}.timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
        ),
        ({"rules": [{}]}, [f"{W}.rules[0].{name}: Required value" for name in RULE]),
        ({"clientConfig": {}}, [f"{W}.clientConfig: Required value: exactly one of url or service is required"]),
        (
            {"clientConfig": {"url": "https://a", "service": {}}},
            [f"{W}.clientConfig: Required value: exactly one of url or service is required"],
        ),
        (
            {"clientConfig": {"url": "http://me:x@?a#b"}},
            [
                f"{W}.clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme{FORM}",
                f'{W}.clientConfig.url: Invalid value: "": host must be specified{FORM}',
                f'{W}.clientConfig.url: Invalid value: "me:x": user information is not permitted in the URL',
                f'{W}.clientConfig.url: Invalid value: "b": fragments are not permitted in the URL',
                f'{W}.clientConfig.url: Invalid value: "a": query parameters are not permitted in the URL',
            ],
        ),
        (
            {"clientConfig": {"service": {"port": 0}}},
            [
                f"{W}.clientConfig.service.name: Required value: service name is required",
                f"{W}.clientConfig.service.namespace: Required value: service namespace is required",
                (
                    f"{W}.clientConfig.service.port: Invalid value: 0: "
                    "port is not valid: must be between 1 and 65535, inclusive"
                ),
            ],
        ),
        (
            {"admissionReviewVersions": []},
            [f"{W}.admissionReviewVersions: Required value: must specify one of v1, v1beta1"],
        ),
        (
            {"admissionReviewVersions": ["v9", "v9"]},
            [
                f'{W}.admissionReviewVersions[1]: Invalid value: "v9": duplicate version',
                (
                    f'{W}.admissionReviewVersions: Invalid value: ["v9","v9"]: '
                    "must include at least one of v1, v1beta1"
                ),
            ],
        ),
        (
            {"matchConditions": [{}]},
            [f"{W}.matchConditions[0].{name}: Required value" for name in ("expression", "name")],
        ),
        (
            {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}},
            [
                (
                    f"{W}.namespaceSelector.matchExpressions[0].operator: "
                    'Invalid value: "Near": not a valid selector operator'
                )
            ],
        ),
    ],
)  # fmt: skip
def test_hooks(hook: dict[str, Any], wrong: list[str]) -> None:
    good = {"metadata": {"name": "x"}, "webhooks": [{**HOOK, **hook}]}
    assert created(VALIDATING, good, {}) == wrong
    assert created(MUTATING, good, {}) == wrong


def test_mutating_ones_may_be_asked_again() -> None:
    good = {"metadata": {"name": "x"}, "webhooks": [{**HOOK, "reinvocationPolicy": "Always"}]}
    assert created(MUTATING, good, {}) == [
        f'{W}.reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"'
    ]


def test_each_has_its_name() -> None:
    assert created(VALIDATING, {"webhooks": [HOOK, HOOK]}, {}) == [
        'webhooks[1].name: Duplicate value: "hook.example.com"'
    ]


def test_defaults() -> None:
    hook: dict[str, Any] = {"clientConfig": {"service": {}}, "rules": [{}]}
    VALIDATING.default({"webhooks": [hook]})
    filled = {
        "clientConfig": {"service": {"port": 443}},
        "rules": [{"scope": "*"}],
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "timeoutSeconds": 10,
    }
    assert hook == filled
    MUTATING.default({"webhooks": [hook]})
    assert hook == filled | {"reinvocationPolicy": "Never"}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/", []),
        ("", []),
        ("/foo/bar.baz/", []),
        ("//", ['x.path: Invalid value: "//": segment[0] may not be empty']),
        ("/a//b", ['x.path: Invalid value: "/a//b": segment[1] may not be empty']),
        ("foo", ["x.path: Invalid value: \"foo\": must start with a '/'"]),
    ],
)
def test_paths(path: str, wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_service({"name": "a", "namespace": "b", "port": 1, "path": path}, errors, "x")
    assert [str(error) for error in errors] == wrong
