"""NetworkPolicy. Source: TestValidateNetworkPolicy in pkg/apis/networking/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created
from pilothouse.api.networking.network_policy import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {"podSelector": {}}}
PORT, PEER = "spec.ingress[0].ports[0]", "spec.egress[0].to[0]"
CIDR_WORDS = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def _port(**port: Any) -> list[str]:
    return created(RESOURCE, GOOD, {"spec": {"ingress": [{"ports": [port]}]}})


@pytest.mark.parametrize(
    ("port", "wrong"),
    [
        ({}, []),
        ({"port": 80, "endPort": 80, "protocol": "SCTP"}, []),
        ({"port": "http"}, []),
        ({"protocol": "QUIC"}, [f'{PORT}.protocol: Unsupported value: "QUIC": supported values: "TCP", "UDP", "SCTP"']),
        ({"port": 0}, [f"{PORT}.port: Invalid value: 0: must be between 1 and 65535, inclusive"]),
        (
            {"port": 80, "endPort": 79},
            [f"{PORT}.endPort: Invalid value: 79: must be greater than or equal to `port`"],
        ),
        (
            {"port": 80, "endPort": 65536},
            [f"{PORT}.endPort: Invalid value: 65536: must be between 1 and 65535, inclusive"],
        ),
        (
            {"port": "http", "endPort": 80},
            [f"{PORT}.endPort: Invalid value: 80: may not be specified when `port` is non-numeric"],
        ),
        ({"endPort": 80}, [f"{PORT}.endPort: Invalid value: 80: may not be specified when `port` is not specified"]),
        ({"port": "9"}, [f'{PORT}.port: Invalid value: "9": must contain at least one letter (a-z)']),
    ],
)
def test_ports(port: dict[str, Any], wrong: list[str]) -> None:
    assert _port(**port) == wrong


@pytest.mark.parametrize(
    ("peer", "wrong"),
    [
        ({"podSelector": {}, "namespaceSelector": {}}, []),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, []),
        ({"ipBlock": {"cidr": "fd00::/8", "except": ["fd01::/64"]}}, []),
        ({}, [f"{PEER}: Required value: must specify a peer"]),
        (
            {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}},
            [f"{PEER}: Forbidden: may not specify both ipBlock and another peer"],
        ),
        ({"ipBlock": {"except": ["x"]}}, [f"{PEER}.ipBlock.cidr: Required value"]),
        ({"ipBlock": {"cidr": "x", "except": ["y"]}}, [f'{PEER}.ipBlock.cidr: Invalid value: "x": {CIDR_WORDS}']),
        (
            {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["y", "10.0.0.0/8", "11.0.0.0/16", "fd00::/16"]}},
            [
                f'{PEER}.ipBlock.except[0]: Invalid value: "y": {CIDR_WORDS}',
                f'{PEER}.ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
                f'{PEER}.ipBlock.except[2]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
                f'{PEER}.ipBlock.except[3]: Invalid value: "fd00::/16": must be a strict subset of `cidr`',
            ],
        ),
    ],
)
def test_peers(peer: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": {"egress": [{"to": [peer]}]}}) == wrong


BAD_SELECTOR = {"matchLabels": {"-": ""}}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"podSelector": BAD_SELECTOR}, "spec.podSelector.matchLabels"),
        (
            {"ingress": [{"from": [{"namespaceSelector": BAD_SELECTOR}]}]},
            "spec.ingress[0].from[0].namespaceSelector.matchLabels",
        ),
        ({"policyTypes": ["Both"]}, "spec.policyTypes[0]"),
        ({"policyTypes": ["Ingress", "Egress", "Ingress"]}, "spec.policyTypes"),
    ],
)
def test_paths(spec: dict[str, Any], path: str) -> None:
    assert [error.partition(": ")[0] for error in created(RESOURCE, GOOD, {"spec": spec})] == [path]


def test_unusual_blocks_are_warned_of() -> None:
    block = {"cidr": "FD00::/8", "except": ["fd01::/16"]}
    assert RESOURCE.warn is not None
    told = RESOURCE.warn({"spec": {"ingress": [{"from": [{"ipBlock": block}, {"podSelector": {}}]}]}}, None)
    assert [text.partition(": ")[0] for text in told] == ["spec.ingress[0].from[0].ipBlock.cidr"]
