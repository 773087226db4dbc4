import pytest

from pilothouse.scheduler import profile
from pilothouse.scheduler.framework import Plugin, Tools


def test_weights_and_order_are_those_of_upstream() -> None:
    assert [(kind.name, kind.weight) for kind in profile.found() if _scores(kind)] == [
        ("TaintToleration", 3), ("NodeAffinity", 2), ("NodeResourcesFit", 1), ("NodeResourcesBalancedAllocation", 1),
        ("ImageLocality", 1),
    ]  # fmt: skip
    refusing = [kind.name for kind in profile.found() if kind.refuse is not Plugin.refuse]
    assert refusing == [
        "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit",
    ]  # fmt: skip


def _scores(kind: type[Plugin]) -> bool:
    return kind.score is not Plugin.score or kind.rates is not Plugin.rates


def test_every_unit_says_what_it_is() -> None:
    for kind in profile.found():
        assert kind.__doc__
        assert kind.name in profile.ORDER
        assert kind.requeue_on or kind.refuse is Plugin.refuse


def test_plugins_are_disabled_by_name(tools: Tools) -> None:
    names = [one.name for one in profile.build(tools, ["NodePorts"])]
    assert "NodePorts" not in names
    assert "NodeName" in names
    with pytest.raises(LookupError, match="no scheduler plugin is called NodePort"):
        profile.build(tools, ["NodePort"])
