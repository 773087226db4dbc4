"""What a node's network consists of."""

from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Node
from pilothouse.network.plan import Made, Trace, cni_configuration, host_routes, plan, rules


def test_plan() -> None:
    planned = plan("abcdefghijklmnop", "10.244.3.0/24", "10.96.0.10")
    assert (planned.bridge, planned.gateway, planned.dns) == ("ph-abcdefghijkl", "10.244.3.1/24", "10.96.0.10/32")
    assert planned.hardware == "0a:58:0a:f4:03:01"
    assert planned.traces() == [
        Trace(Made.LINK, "ph-abcdefghijkl"),
        Trace(Made.TABLE, "ip pilothouse-abcdefghijklmnop-network"),
        Trace(Made.ADDRESS, "10.96.0.10/32@lo"),
    ]
    assert plan("x", "10.244.3.0/24", "").dns == ""


def test_cni_configuration() -> None:
    written = cni_configuration(plan("x", "10.244.3.0/24", ""), "/home/x/addresses", 1400)
    bridge, portmap = written["plugins"]
    assert (bridge["bridge"], bridge["mtu"], bridge["hairpinMode"]) == ("ph-x", 1400, True)
    assert bridge["ipam"]["dataDir"] == "/home/x/addresses"
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    assert portmap["capabilities"] == {"portMappings": True}


@pytest.mark.parametrize(("bridged", "count"), [(True, 1), (False, 2)])
def test_rules(bridged: bool, count: int) -> None:
    script = rules(plan("x", "10.244.3.0/24", ""), "10.244.0.0/16", bridged=bridged)
    assert script.count("masquerade") == count


def node(name: str, **spec: Any) -> Node:
    addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": f"192.0.2.{name[-1]}"}]
    return Node({"metadata": {"name": name}, "spec": spec, "status": {"addresses": addresses}})


def test_host_routes() -> None:
    nodes = [node("n1", podCIDR="10.244.1.0/24"), node("n2", podCIDR="10.244.2.0/24"), node("n3")]
    assert host_routes(nodes, "n1") == {"10.244.2.0/24": "192.0.2.2"}
