"""Names: what is accepted, and the exact words for what is not.

The texts are those of upstream's validation packages. *Assumed* for v1.37: that the limit counts "bytes" in every rule
(older sources of the port name and config key rules still said "characters").
"""

from collections.abc import Callable
from typing import Any

import pytest

from pilothouse.api.machinery import names
from pilothouse.api.machinery.field import FieldErrors

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
NAME_PART = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
KEY_SHAPE = f"a valid label key {NAME_PART} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
ENV_NAME = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not "
    "start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', "
    "regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
)
PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
PORT_SIGNS = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
PORT_LETTER = "must contain at least one letter (a-z)"
ENV_RELAXED = "a valid environment variable name must consist only of printable ASCII characters other than '='"

CASES: list[tuple[Callable[[Any], list[str]], Any, list[str]]] = [
    (names.dns_subdomain, "a.b-c.1", []),
    (names.dns_subdomain, "a" * 253, []),
    (names.dns_subdomain, "a" * 254, ["must be no more than 253 bytes"]),
    (names.dns_subdomain, "", [SUBDOMAIN]),
    (names.dns_subdomain, "A.b", [SUBDOMAIN]),
    (names.dns_subdomain, "a..b", [SUBDOMAIN]),
    (names.dns_subdomain, "a\n", [SUBDOMAIN]),
    (names.dns_subdomain, "ä" * 127, ["must be no more than 253 bytes", SUBDOMAIN]),
    (names.dns_label, "a--1", []),
    (names.dns_label, "a" * 64, ["must be no more than 63 bytes"]),
    (names.dns_label, "a.b", ["must not contain dots"]),
    (names.dns_label, "_a", [LABEL]),
    (names.dns1035_label, "a-1", []),
    (names.dns1035_label, "1a", [LABEL_1035]),
    (names.wildcard_subdomain, "*.bar.com", []),
    (names.path_segment, "system:node", []),
    (names.path_segment, ".", ["may not be '.'"]),
    (names.path_segment, "..", ["may not be '..'"]),
    (names.path_segment, "a/b%c", ["may not contain '/'", "may not contain '%'"]),
    (names.path_segment_prefix, ".", []),
    (names.label_key, "app", []),
    (names.label_key, "1.2.3.4/5678", []),
    (names.label_key, "example.com/Uppercase_Is_OK_123", []),
    (names.label_key, "a" * 253 + "/" + "b" * 63, []),
    (names.label_key, "a" * 64, ["name part must be no more than 63 bytes"]),
    (names.label_key, "a" * 254 + "/abc", ["prefix part must be no more than 253 bytes"]),
    (names.label_key, "a/b/c", [KEY_SHAPE]),
    (names.label_key, "/a", ["prefix part must be non-empty"]),
    (names.label_key, "Example.com/a", [f"prefix part {SUBDOMAIN}"]),
    (names.label_key, "", ["name part must be non-empty", f"name part {NAME_PART}"]),
    (names.label_key, "a-", [f"name part {NAME_PART}"]),
    (names.prefixed_label_key, "a", ["must include a prefix (e.g. 'example.com/key')"]),
    (names.prefixed_label_key, "a.io/b", []),
    (names.label_value, "", []),
    (names.label_value, "a_B.c-1", []),
    (names.label_value, "a" * 64, ["must be no more than 63 bytes"]),
    (names.label_value, "a b", [LABEL_VALUE]),
    (names.label_value, "ends-", [LABEL_VALUE]),
    (names.annotation_key, "EXAMPLE.com/Key", []),
    (names.port_name, "re-mail-ck", []),
    (names.port_name, "longerthan15characters", ["must be no more than 15 bytes"]),
    (names.port_name, "", [PORT_SIGNS, PORT_LETTER]),
    (names.port_name, "12345", [PORT_LETTER]),
    (names.port_name, "two--hyphens", ["must not contain consecutive hyphens"]),
    (names.port_name, "-begin", ["must not begin or end with a hyphen"]),
    (names.port_name, "HTTP", [PORT_SIGNS, PORT_LETTER]),
    (names.env_var_name, "0 a@", []),
    (names.env_var_name, "", ["environment variable name must be non-empty"]),
    (names.env_var_name, "a=b", [ENV_RELAXED]),
    (names.env_var_name, "é", [ENV_RELAXED]),
    (names.strict_env_var_name, "A_b.c-d", []),
    (names.strict_env_var_name, "1a", [ENV_NAME]),
    (names.strict_env_var_name, "..", ["must not be '..'"]),
    (names.config_map_key, ".so.is.this", []),
    (names.config_map_key, "b*d", [CONFIG_KEY]),
    (names.config_map_key, "..", ["must not be '..'"]),
    (names.config_map_key, "..bad", ["must not start with '..'"]),
    (names.config_map_key, "a" * 254, ["must be no more than 253 bytes"]),
    (names.http_header_name, "X-Forwarded-For", []),
    (names.c_identifier, "a_1", []),
    (names.percent, "101%", []),
    (names.percent, "-1%", [PERCENT]),
    (names.percent, "1.5%", [PERCENT]),
    (names.port_number, 65535, []),
    (names.port_number, 0, ["must be between 1 and 65535, inclusive"]),
    (names.numeric_id, -1, ["must be between 0 and 4294967295, inclusive"]),
]


@pytest.mark.parametrize(("rule", "value", "wrong"), CASES)
def test_rules(rule: Callable[[Any], list[str]], value: Any, wrong: list[str]) -> None:
    assert rule(value) == wrong


def test_labels_blame_key_and_value() -> None:
    errors = FieldErrors()
    names.validate_labels({"good": "x", "bad key": "bad value"}, errors, "metadata.labels")
    assert [str(error) for error in errors] == [
        f'metadata.labels: Invalid value: "bad key": name part {NAME_PART}',
        f'metadata.labels: Invalid value: "bad value": {LABEL_VALUE}',
    ]


def test_annotations_have_a_size_in_all() -> None:
    errors = FieldErrors()
    names.validate_annotations({"a": "x" * (names.ANNOTATIONS_LIMIT - 1)}, errors, "metadata.annotations")
    assert errors == []
    names.validate_annotations({"a": "x" * names.ANNOTATIONS_LIMIT}, errors, "metadata.annotations")
    assert [str(error) for error in errors] == ["metadata.annotations: Too long: may not be more than 262144 bytes"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("acme.io/foo", None),
        ("", "path: Required value"),
        ("acme.io", 'path: Invalid value: "acme.io": must be a domain-prefixed path (such as "acme.io/foo")'),
        ("Acme.io/foo", f'path: Invalid value: "Acme.io": {SUBDOMAIN}'),
    ],
)
def test_domain_prefixed_path(text: str, wrong: str | None) -> None:
    errors = FieldErrors()
    names.validate_domain_prefixed_path(text, errors, "path")
    assert [str(error) for error in errors] == ([wrong] if wrong else [])


def test_fully_qualified_name() -> None:
    errors = FieldErrors()
    names.validate_fully_qualified_name("example.com", errors, "signer")
    names.validate_fully_qualified_name("a.example.com", errors, "signer")
    assert [error.detail for error in errors] == ["should be a domain with at least three segments separated by dots"]
