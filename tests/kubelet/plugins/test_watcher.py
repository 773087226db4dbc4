"""Sockets come and go; what is behind them is taken in and let go, each on its own."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fakes.csi_driver import CsiDriver
from kubelet.harness import FakeMounter
from kubelet.plugins.test_registration import Handler
from pilothouse.kubelet.plugins import watcher
from pilothouse.kubelet.plugins.watcher import PluginWatcher
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "PERIOD", 0.01)
    monkeypatch.setattr(watcher, "_RETRY", Growth(first=0.01, limit=0.02))


class Puzzled(Handler):
    """Cannot make sense of what it is told, at first."""

    async def validate(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        await super().validate(name, endpoint, versions)
        if len(self.seen) == 1:
            raise ValueError("what?")


async def until(what: Callable[[], bool]) -> None:
    clock = SystemClock()
    async with clock.timeout(20):
        while not what():
            await clock.sleep(0.005)


def done(handler: Handler, *, of: str = "") -> list[str]:
    return [seen[0] for seen in handler.seen if seen[0] != "validate" and (not of or seen[1] == of)]


def test_plugins_come_and_go_and_come_again(tmp_path: Path) -> None:
    async def main() -> None:
        handler, directory = Handler(), tmp_path / "registry"
        driver = CsiDriver(directory, FakeMounter())
        driver.socket = tmp_path / "csi.sock"
        async with Tasks() as tasks:
            tasks.spawn(PluginWatcher(directory, {handler.kind: handler}, SystemClock(), tasks).run(), name="watcher")
            await until(directory.is_dir)
            (directory / "no-socket").touch()
            await driver.start()
            await until(lambda: done(handler) == ["register"])
            await until(lambda: driver.told == [(True, "")])
            await driver.stop()
            await until(lambda: done(handler) == ["register", "deregister"])
            driver.registration = directory / "below" / "reg.sock"
            await driver.start()
            await until(lambda: done(handler) == ["register", "deregister", "register"])
            driver.registration.rename(directory / ".hidden.sock")
            driver.registration = directory / ".hidden.sock"
            await until(lambda: done(handler)[-1] == "deregister")
            await driver.stop()

    asyncio.run(main())


def test_one_that_hangs_keeps_no_other_and_one_that_fails_is_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        handler, directory = Handler(), tmp_path / "registry"
        stuck, other = (CsiDriver(directory / name, FakeMounter(), name=name) for name in ("a", "b"))
        for driver in (stuck, other):
            driver.socket = tmp_path / f"{driver.name}.sock"
        stuck.hang("GetInfo")
        handler.wrong = {"register": "not yet"}
        async with stuck, other, Tasks() as tasks:
            tasks.spawn(PluginWatcher(directory, {handler.kind: handler}, SystemClock(), tasks).run(), name="watcher")
            await until(lambda: len(other.told) > 1)
            assert not any(registered for registered, _ in other.told)
            handler.wrong = {}
            await until(lambda: other.told[-1] == (True, ""))
            assert stuck.told == []

    asyncio.run(main())


def test_neither_nonsense_nor_deafness_of_a_plugin_is_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        handler, directory = Puzzled(), tmp_path / "registry"
        driver = CsiDriver(directory, FakeMounter())
        driver.socket = tmp_path / "csi.sock"
        driver.fail("NotifyRegistrationStatus")
        async with Tasks() as tasks:
            tasks.spawn(PluginWatcher(directory, {handler.kind: handler}, SystemClock(), tasks).run(), name="watcher")
            await driver.start()
            await until(lambda: done(handler) == ["register"])
            await driver.stop()
            await until(lambda: done(handler) == ["register", "deregister"])

    asyncio.run(main())
