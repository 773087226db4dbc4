"""What the node has while plugins come and go."""

from pilothouse.kubelet.devices.stock import GRACE, Device, Stock


def test_devices_are_counted_by_their_health_and_go_some_time_after_their_plugin() -> None:
    stock = Stock()
    assert stock.amounts() == ({}, {})
    assert stock.healthy("r") is None
    stock.found("r")
    assert not stock.knows("r")
    stock.listed("r", [Device("a"), Device("b", "Unhealthy"), Device("c", nodes=(1,))])
    assert stock.amounts() == ({"r": "3"}, {"r": "2"})
    assert stock.healthy("r") == frozenset({"a", "c"})
    assert stock.devices("r")["c"].nodes == (1,)
    assert stock.registered() == {"r": ["a", "c"]}
    stock.lost("r", 100.0)
    assert stock.amounts() == ({"r": "3"}, {"r": "0"})
    assert stock.healthy("r") == frozenset()
    assert not stock.drop_lost(100.0 + GRACE)
    assert stock.drop_lost(100.1 + GRACE)
    assert stock.amounts() == ({"r": "0"}, {"r": "0"})
    assert not stock.knows("r")
    assert not stock.drop_lost(200 + GRACE)
    stock.listed("r", [Device("a")])
    assert stock.amounts() == ({"r": "1"}, {"r": "1"})


def test_it_is_said_whose_health_has_changed() -> None:
    stock = Stock()
    assert stock.listed("r", [Device("a"), Device("b", "Unhealthy"), Device("c")]) == frozenset()
    assert stock.listed("r", [Device("a", "Unhealthy"), Device("b"), Device("d")]) == {"a", "b"}
    assert stock.listed("r", [Device("a", "Unhealthy"), Device("b")]) == frozenset()


def test_a_plugin_that_comes_back_in_time_keeps_its_devices_which_are_ill_until_it_tells() -> None:
    stock = Stock()
    stock.listed("r", [Device("a")])
    stock.lost("r", 0.0)
    stock.found("r")
    assert not stock.drop_lost(2 * GRACE)
    assert stock.amounts() == ({"r": "1"}, {"r": "0"})


def test_what_an_earlier_kubelet_knew_is_expected_for_a_while() -> None:
    stock = Stock()
    stock.expect("r", 0.0)
    assert stock.amounts() == ({"r": "0"}, {"r": "0"})
    assert stock.healthy("r") == frozenset()
    assert stock.drop_lost(GRACE + 1)
    assert stock.healthy("r") is None
