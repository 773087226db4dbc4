"""Which devices a container gets."""

import pytest

from pilothouse.kubelet.devices.choice import Unavailable, check, plan_choice
from pilothouse.kubelet.devices.stock import Device

FREE = {
    "a": Device("a", nodes=(0,)), "b": Device("b", nodes=(1,)), "c": Device("c", nodes=(1,)), "d": Device("d"),
    "e": Device("e", nodes=(0, 1)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("size", "reusable", "near", "preferred", "expected"),
    [
        (2, (), None, (), "ab"),
        (2, (), None, ("e", "zz", "c"), "ec"),
        (3, (), None, ("e",), "eab"),
        (1, ("x", "y"), None, ("e",), "x"),
        (3, ("x",), None, ("e",), "xea"),
        (1, (), (1,), (), "b"),
        (1, (), (1,), ("a", "c"), "c"),
        (3, (), (1,), ("d",), "bce"),
        (4, (), (1,), ("d",), "bced"),
        (4, (), (1,), (), "bcea"),
        (5, (), (1,), (), "bcead"),
        (2, ("e",), (1,), (), "eb"),
    ],
)
def test_what_is_chosen(
    size: int, reusable: tuple[str, ...], near: tuple[int, ...] | None, preferred: tuple[str, ...], expected: str
) -> None:
    choice = plan_choice("r", size, reusable, FREE, near)
    assert "".join(choice.finished(preferred)) == expected
    assert choice.is_open or choice.certain == tuple(expected)


def test_too_few() -> None:
    message = r"^requested number of devices unavailable for r\. Requested: 6, Available: 5$"
    with pytest.raises(Unavailable, match=message):
        plan_choice("r", 7, ("x",), FREE)


@pytest.mark.parametrize(
    ("healthy", "before", "expected"),
    [
        (None, (), "cannot allocate unregistered device r"),
        ((), (), "no healthy devices present; cannot allocate unhealthy devices r"),
        (("b",), ("a",), "previously allocated devices are no longer healthy; cannot allocate unhealthy devices r"),
        (("a", "b"), ("a",), ""),
    ],
)
def test_whether_there_are_any(healthy: tuple[str, ...] | None, before: tuple[str, ...], expected: str) -> None:
    told = ""
    try:
        check("r", healthy, before)
    except Unavailable as error:
        told = str(error)
    assert told == expected
