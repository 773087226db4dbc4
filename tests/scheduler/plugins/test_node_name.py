from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.framework import Refusal
from pilothouse.scheduler.plugins.node_name import NodeName
from scheduler.samples import alone, info, node


def test_a_pod_that_names_its_node_gets_no_other() -> None:
    refusal = Refusal(("node(s) didn't match the requested node name",), resolvable=False)
    assert NodeName().refuse(info(on="n"), alone(node("n"))) is None
    assert NodeName().refuse(info(on="m"), alone(node("n"))) == refusal
    assert NodeName().refuse(info(), alone(node("n"))) is None


def test_only_that_node_helps() -> None:
    for name, helps in (("n", True), ("m", False)):
        assert NodeName().helps(info(on="n"), Happened(Change.NODE_ADDED, None, node(name))) is helps
