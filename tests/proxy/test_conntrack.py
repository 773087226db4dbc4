"""Which UDP flows are forgotten."""

from pilothouse.proxy.conntrack import stale_flows
from pilothouse.proxy.table import Destinations, Portal, ServiceTable, Target


def table(*addresses: str, protocol: str = "udp") -> ServiceTable:
    to = Destinations(tuple(Target(address, 5353) for address in addresses), local=False, elsewhere=bool(addresses))
    return ServiceTable((Portal("ns/dns/udp/dns", protocol, 53, ("10.96.0.9",), (), 30053, to, to),))


def test_endpoint_gone() -> None:
    assert stale_flows(table("1", "2"), table("2")) == [
        ("-p", "udp", "--orig-port-dst", "53", "--orig-dst", "10.96.0.9", "--dst-nat", "1"),
        ("-p", "udp", "--orig-port-dst", "30053", "--dst-nat", "1"),
    ]


def test_service_gone() -> None:
    assert len(stale_flows(table("1"), ServiceTable())) == 2


def test_first_endpoint() -> None:
    assert stale_flows(table(), table("1")) == [
        ("-p", "udp", "--orig-port-dst", "53", "--orig-dst", "10.96.0.9"),
        ("-p", "udp", "--orig-port-dst", "30053"),
    ]


def test_nothing_for_what_stays_and_for_tcp() -> None:
    assert stale_flows(table("1"), table("1", "2")) == []
    assert stale_flows(table("1", protocol="tcp"), table("2", protocol="tcp")) == []
