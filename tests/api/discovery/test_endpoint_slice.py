"""EndpointSlice. Sources: pkg/apis/discovery/validation/validation_test.go, pkg/apis/discovery/v1/defaults_test.go,
pkg/printers/internalversion/printers_test.go.
"""

from typing import Any

import pytest

from pilothouse.api.discovery.endpoint_slice import RESOURCE
from pilothouse.api.machinery.field import FieldErrors


def _errors(**slice_: Any) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate({"addressType": "IPv4", **slice_}, errors)
    return [str(error) for error in errors]


def _addresses(count: int) -> list[str]:
    return [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(count)]


@pytest.mark.parametrize(
    ("slice_", "wrong"),
    [
        ({}, []),
        ({"endpoints": [{"addresses": _addresses(100)}], "ports": [{"name": "", "protocol": "TCP"}]}, []),
        ({"addressType": ""}, ["addressType: Required value"]),
        (
            {"addressType": "IP"},
            ['addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"'],
        ),
        ({"endpoints": [{}]}, ["endpoints[0].addresses: Required value: must contain at least 1 address"]),
        (
            {"endpoints": [{"addresses": _addresses(101)}]},
            ["endpoints[0].addresses: Too many: 101: must have at most 100 items"],
        ),
        (
            {"endpoints": [{"addresses": ["10.0.0.1"]}] * 1001},
            ["endpoints: Too many: 1001: must have at most 1000 items"],
        ),
        (
            {"endpoints": [{"addresses": ["127.0.0.1"]}]},
            [
                (
                    'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": '
                    "may not be in the loopback range (127.0.0.0/8, ::1/128)"
                )
            ],
        ),
        ({"addressType": "FQDN", "endpoints": [{"addresses": ["www.example.com"]}]}, []),
        (
            {"ports": [{"name": "a", "protocol": "TCP"}, {"name": "a", "protocol": "TCP"}]},
            ['ports[1].name: Duplicate value: "a"'],
        ),
        ({"ports": [{"name": ""}]}, ["ports[0].protocol: Required value"]),
        (
            {"ports": [{"name": "", "protocol": "QUIC"}]},
            ['ports[0].protocol: Unsupported value: "QUIC": supported values: "SCTP", "TCP", "UDP"'],
        ),
        (
            {"endpoints": [{"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "a"}, {"name": "a"}]}}]},
            ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
        ),
        (
            {"endpoints": [{"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": str(n)} for n in range(9)]}}]},
            ["endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"],
        ),
    ],
)
def test_validate(slice_: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(**slice_) == wrong


def test_the_family_is_that_of_the_slice() -> None:
    found = _errors(addressType="IPv6", endpoints=[{"addresses": ["10.0.0.1"]}])
    assert [error.partition(":")[0] for error in found] == ["endpoints[0].addresses[0]"]


def test_hints_of_nodes_are_their_names() -> None:
    hints = {"forNodes": [{"name": "node-1"}, {"name": "Node_2"}]}
    found = _errors(endpoints=[{"addresses": ["10.0.0.1"], "hints": hints}])
    assert [error.partition(":")[0] for error in found] == ["endpoints[0].hints.forNodes[1].name"]


def test_names_in_endpoints() -> None:
    endpoint = {"addresses": ["10.0.0.1"], "nodeName": "A", "hostname": "B", "deprecatedTopology": {"-": ""}}
    found = [error.partition(":")[0] for error in _errors(endpoints=[endpoint])]
    assert found == ["endpoints[0].nodeName", "endpoints[0].deprecatedTopology", "endpoints[0].hostname"]


def test_default() -> None:
    obj: dict[str, Any] = {"ports": [{}, {"name": "a", "protocol": "UDP"}]}
    RESOURCE.default(obj)
    assert obj["ports"] == [{"name": "", "protocol": "TCP"}, {"name": "a", "protocol": "UDP"}]


def test_the_type_stays() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update({"addressType": "IPv6"}, {"addressType": "IPv4"}, errors)
    assert [str(error) for error in errors] == ['addressType: Invalid value: "IPv6": field is immutable']


@pytest.mark.parametrize(
    ("slice_", "ports", "endpoints"),
    [
        ({}, "<unset>", "<unset>"),
        (
            {"ports": [{"port": 80}, {"name": "a"}, {}, {"port": 81}], "endpoints": [{"addresses": _addresses(2)}] * 2},
            "80,a,* + 1 more...",
            "10.0.0.1,10.0.0.2,10.0.0.1 + 1 more...",
        ),
    ],
)
def test_columns(slice_: dict[str, Any], ports: str, endpoints: str) -> None:
    row = {column.name: column.cell({"addressType": "IPv4", **slice_}, 0) for column in RESOURCE.columns}
    assert (row["AddressType"], row["Ports"], row["Endpoints"]) == ("IPv4", ports, endpoints)


TOPOLOGY = {"deprecatedTopology": {"zone": "a"}}


@pytest.mark.parametrize(
    ("stored", "addresses", "kept"),
    [
        (None, ["10.0.0.1"], False),
        (["10.0.0.1"], ["10.0.0.1"], True),
        (["10.0.0.1"], ["10.0.0.2"], False),
    ],
)
def test_topology_of_former_days(stored: list[str] | None, addresses: list[str], kept: bool) -> None:
    """Source: dropTopologyOnV1 in pkg/registry/discovery/endpointslice/strategy.go."""
    new: dict[str, Any] = {"endpoints": [{"addresses": addresses, **TOPOLOGY}]}
    if stored is None:
        RESOURCE.prepare_for_create(new)
    else:
        RESOURCE.prepare_for_update(new, {"endpoints": [{"addresses": stored, **TOPOLOGY}]})
    assert new["endpoints"] == [{"addresses": addresses} | (TOPOLOGY if kept else {})]


def test_warnings() -> None:
    """Source: pkg/registry/discovery/endpointslice/strategy_test.go."""
    assert RESOURCE.warn is not None
    assert RESOURCE.warn({"addressType": "IPv6", "endpoints": [{"addresses": ["fd00::1"]}]}, None) == []
    assert RESOURCE.warn({"addressType": "FQDN"}, None) == ["addressType: FQDN endpoints are deprecated"]
    assert RESOURCE.warn({"addressType": "IPv6", "endpoints": [{"addresses": ["FD00::1"]}]}, None) == [
        'endpoints[0].addresses[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")'
    ]
