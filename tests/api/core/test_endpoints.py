"""Endpoints. Sources: TestValidateEndpoints* in pkg/apis/core/validation/validation_test.go, printers.go."""

from typing import Any

import pytest

from pilothouse.api.core.endpoints import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

GOOD = {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80, "protocol": "TCP"}]}


def _errors(*subsets: dict[str, Any]) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate({"subsets": list(subsets)}, errors)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("subset", "wrong"),
    [
        (GOOD, []),
        ({"notReadyAddresses": [{"ip": "10.0.0.1"}]}, []),
        ({}, ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]),
        (
            {"addresses": [{"ip": "127.0.0.1"}]},
            [
                (
                    'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": '
                    "may not be in the loopback range (127.0.0.0/8, ::1/128)"
                )
            ],
        ),
        ({**GOOD, "ports": [{"port": 80}]}, ["subsets[0].ports[0].protocol: Required value"]),
        (
            {**GOOD, "ports": [{"port": 80, "protocol": "tcp"}]},
            ['subsets[0].ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"'],
        ),
        (
            {**GOOD, "ports": [{"port": 0, "protocol": "TCP"}]},
            ["subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"],
        ),
        (
            {**GOOD, "ports": [{"name": "a", "port": 1, "protocol": "TCP"}, {"port": 2, "protocol": "TCP"}]},
            ["subsets[0].ports[1].name: Required value"],
        ),
    ],
)
def test_validate(subset: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(subset) == wrong


def test_names_of_nodes_and_hosts() -> None:
    address = {"ip": "10.0.0.1", "hostname": "A", "nodeName": "B"}
    found = [error.partition(":")[0] for error in _errors({"addresses": [address]})]
    assert found == ["subsets[0].addresses[0].hostname", "subsets[0].addresses[0].nodeName"]


def test_default() -> None:
    obj: dict[str, Any] = {"subsets": [{"ports": [{"port": 1}, {"port": 2, "protocol": "UDP"}]}]}
    RESOURCE.default(obj)
    assert [port["protocol"] for port in obj["subsets"][0]["ports"]] == ["TCP", "UDP"]


def _addresses(*addresses: str) -> list[dict[str, str]]:
    return [{"ip": address} for address in addresses]


@pytest.mark.parametrize(
    ("subsets", "text"),
    [
        ([], "<none>"),
        ([{"addresses": _addresses("10.0.0.1")}], "10.0.0.1"),
        ([{"addresses": _addresses("fd00::1"), "ports": [{"port": 80}]}], "[fd00::1]:80"),
        ([{"notReadyAddresses": _addresses("10.0.0.1"), "ports": [{"port": 80}]}], ""),
        (
            [{"addresses": _addresses("10.0.0.1", "10.0.0.2"), "ports": [{"port": 80}, {"port": 81}]}],
            "10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...",
        ),
        (
            [{"addresses": _addresses("10.0.0.1", "10.0.0.2", "10.0.0.3")}, {"addresses": _addresses("10.0.0.4")}],
            "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...",
        ),
    ],
)
def test_column(subsets: list[dict[str, Any]], text: str) -> None:
    assert RESOURCE.columns[0].cell({"subsets": subsets}, 0) == text
