"""The inventory: on disk before the thing, once each, and readable after any crash."""

from pathlib import Path

from pilothouse.cluster.inventory import Inventory
from pilothouse.network.plan import Made, Trace

LINK, TABLE = Trace(Made.LINK, "ph-x"), Trace(Made.TABLE, "ip x")


def test_entries_come_back_in_order_and_once(tmp_path: Path) -> None:
    inventory = Inventory(tmp_path / "inventory")
    for trace in (LINK, TABLE, LINK):
        inventory.record(trace)
    assert Inventory(tmp_path / "inventory").traces() == [LINK, TABLE]


def test_what_a_setting_was_is_what_was_noted_first(tmp_path: Path) -> None:
    inventory = Inventory(tmp_path / "inventory")
    inventory.record(Trace(Made.SYSCTL, "net.ipv4.ip_forward", "0"))
    inventory.record(Trace(Made.SYSCTL, "net.ipv4.ip_forward", "1"))
    assert [each.before for each in inventory.traces()] == ["0"]


def test_a_torn_line_is_passed_over_and_does_not_swallow_the_next(tmp_path: Path) -> None:
    inventory = Inventory(tmp_path / "inventory")
    inventory.record(LINK)
    with (tmp_path / "inventory").open("a") as file:
        file.write('{"made": "li')
    inventory.record(TABLE)
    assert inventory.traces() == [LINK, TABLE]


def test_cleared(tmp_path: Path) -> None:
    inventory = Inventory(tmp_path / "inventory")
    inventory.record(LINK)
    inventory.clear()
    assert inventory.traces() == []
