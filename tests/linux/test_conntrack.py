"""Forgetting flows."""

import asyncio

import pytest

from pilothouse.linux.conntrack import ConntrackError, forget


@pytest.mark.node
def test_nothing_to_forget_is_no_error() -> None:
    asyncio.run(forget("-p", "udp", "--orig-dst", "192.0.2.77"))


@pytest.mark.node
def test_complaint_is_told() -> None:
    with pytest.raises(ConntrackError, match="nonsense"):
        asyncio.run(forget("--nonsense"))


def test_absent_command() -> None:
    with pytest.raises(ConntrackError, match="not installed"):
        asyncio.run(forget("-p", "udp", prefix=("/nonexistent",)))
