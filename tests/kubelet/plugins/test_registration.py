"""A plugin on a real socket is asked what it is, handed over, and told how it went."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.csi_driver import CsiDriver
from kubelet.harness import FakeMounter
from pilothouse.kubelet.plugins.registration import PluginHandler, Registered, register
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.clock import SystemClock


class Handler(PluginHandler):
    """Takes what it is told to take."""

    kind = "CSIPlugin"

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.wrong: dict[str, str] = {}

    async def validate(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        self._do("validate", name, endpoint, versions)

    async def register(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        self._do("register", name, endpoint, versions)

    async def deregister(self, name: str, endpoint: str) -> None:
        self._do("deregister", name, endpoint)

    def _do(self, what: str, *more: Any) -> None:
        self.seen.append((what, *more))
        if what in self.wrong:
            raise PluginError(self.wrong[what])


async def take_in(driver: CsiDriver, handler: Handler) -> Registered:
    return await register(driver.registration, {handler.kind: handler}, SystemClock())


async def refused(driver: CsiDriver, handler: Handler) -> str:
    with pytest.raises(PluginError) as told:
        await take_in(driver, handler)
    return str(told.value)


def test_a_plugin_is_taken_in_and_told(tmp_path: Path) -> None:
    async def main() -> None:
        handler = Handler()
        async with CsiDriver(tmp_path, FakeMounter()) as driver:
            taken = await take_in(driver, handler)
            assert taken == Registered(handler, "disk.example.com", str(driver.socket))
            facts = ("disk.example.com", str(driver.socket), ("1.0.0",))
            assert handler.seen == [("validate", *facts), ("register", *facts)]
            assert driver.told == [(True, "")]

    asyncio.run(main())


def test_a_plugin_that_will_not_do_is_told_why(tmp_path: Path) -> None:
    async def main() -> None:
        handler = Handler()
        async with CsiDriver(tmp_path, FakeMounter()) as driver:
            handler.wrong = {"validate": "too old"}
            why = "RegisterPlugin error -- plugin validation failed with err: too old"
            assert await refused(driver, handler) == why
            handler.wrong = {"register": "no node id"}
            again = "RegisterPlugin error -- plugin registration failed with err: no node id"
            assert await refused(driver, handler) == again
            driver.kind = "Other"
            other = (
                f"RegisterPlugin error -- no handler registered for plugin type: Other at socket {driver.registration}"
            )
            assert await refused(driver, handler) == other
            assert driver.told == [(False, why), (False, again), (False, other)]

    asyncio.run(main())


def test_a_plugin_that_does_not_listen_is_taken_in_all_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        handler = Handler()
        async with CsiDriver(tmp_path, FakeMounter()) as driver:
            driver.fail("NotifyRegistrationStatus")
            assert await take_in(driver, handler) == Registered(handler, "disk.example.com", str(driver.socket))
            handler.wrong = {"register": "no node id"}
            why = "RegisterPlugin error -- plugin registration failed with err: no node id"
            assert await refused(driver, handler) == why

    asyncio.run(main())


def test_a_plugin_that_does_not_say_what_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        handler = Handler()
        driver = CsiDriver(tmp_path, FakeMounter())
        assert "Unavailable" in await refused(driver, handler)
        async with driver:
            driver.fail("GetInfo", grpc.StatusCode.INTERNAL, "broken")
            assert await refused(driver, handler) == "rpc error: code = Internal desc = broken"
        assert handler.seen == []

    asyncio.run(main())
