import pytest

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.framework import Refusal
from pilothouse.scheduler.plugins.node_ports import NodePorts
from scheduler.samples import alone, info, node, pod

Port = dict[str, object]


@pytest.mark.parametrize(
    ("held", "wanted", "free"),
    [
        ({"hostPort": 80}, {"hostPort": 80}, False),
        ({"hostPort": 80}, {"hostPort": 81}, True),
        ({"hostPort": 80}, {"containerPort": 80}, True),
        ({"hostPort": 80}, {"hostPort": 80, "protocol": "UDP"}, True),
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, {"hostPort": 80, "hostIP": "10.0.0.2"}, True),
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, {"hostPort": 80, "hostIP": "10.0.0.1"}, False),
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, {"hostPort": 80}, False),
        ({"hostPort": 80}, {"hostPort": 80, "hostIP": "10.0.0.1"}, False),
    ],
)
def test_a_port_is_held_once(held: Port, wanted: Port, free: bool) -> None:
    refusal = None if free else Refusal(("node(s) didn't have free ports for the requested pod ports",))
    assert NodePorts().refuse(info(ports=[wanted]), alone(node(), info("there", ports=[held], on="n"))) == refusal


def test_who_held_the_port_helps_by_going() -> None:
    for port, helps in ((80, True), (81, False)):
        happened = Happened(Change.POD_DELETED, pod(ports=[{"hostPort": port}], on="n"), None)
        assert NodePorts().helps(info(ports=[{"hostPort": 80}]), happened) is helps
    assert NodePorts().helps(info(ports=[{"hostPort": 80}]), Happened(Change.NODE_ADDED, None, node()))
