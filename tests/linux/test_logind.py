"""logind: one that is played, on a real bus. What it says of itself is the D-Bus API of org.freedesktop.login1(5)."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fakes.logind import FakeLogind, bus, impostor, names, needs_a_bus
from fakes.logind import logind as played
from pilothouse.linux import system_bus
from pilothouse.linux.logind import Logind, logind
from pilothouse.linux.system_bus import BusError
from pilothouse.runtime.clock import SystemClock

pytestmark = needs_a_bus
CLOCK = SystemClock()


class Stage:
    def __init__(self, login: Logind, fake: FakeLogind, root: Path) -> None:
        self.login = login
        self.fake = fake
        self.bus = root / "bus"
        self.drop_ins = root / "logind.conf.d"

    async def until(self, what: Callable[[], bool]) -> None:
        while not what():
            await CLOCK.sleep(0.01)


def play(root: Path, story: Callable[[Stage], Awaitable[None]]) -> None:
    async def main() -> None:
        drop_ins = root / "logind.conf.d"
        with bus(root) as path, played(path, drop_ins) as fake:
            async with CLOCK.timeout(30), logind(CLOCK, path, drop_ins) as login:
                await story(Stage(login, fake, root))

    asyncio.run(main())


def test_it_waits_longer_once_it_was_told_to(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        assert await stage.login.delay() == 5
        await stage.login.ask_for_delay(75.0)
        assert (stage.drop_ins / "99-kubelet.conf").read_text() == (
            "# Kubelet logind override\n[Login]\nInhibitDelayMaxSec=75\n"
        )
        assert stage.fake.reloads == [("systemd-logind.service", "all", 1)]
        assert await stage.login.delay() == 75

    play(tmp_path, story)


def test_a_lock_is_held_until_it_is_released(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        first, second = await stage.login.lock(), await stage.login.lock()
        asked = ("shutdown", "kubelet", "Kubelet needs time to handle node shutdown", "delay")
        assert stage.fake.inhibited == [asked, asked]
        assert stage.fake.held == 2
        first.release()
        first.release()
        await stage.until(lambda: stage.fake.held == 1)
        second.release()
        await stage.until(lambda: stage.fake.held == 0)

    play(tmp_path, story)


def test_whoever_may_not_hold_it_up_hears_why(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.fake.refusal = "Permission denied"
        with pytest.raises(BusError, match="AccessDenied: Permission denied"):
            await stage.login.lock()

    play(tmp_path, story)


def test_a_lock_that_comes_too_late_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(stage: Stage) -> None:
        stage.fake.gives.clear()
        monkeypatch.setattr(system_bus, "PATIENCE", 0)
        with pytest.raises(BusError, match="did not answer Inhibit in 0 seconds"):
            await stage.login.lock()
        monkeypatch.undo()
        stage.fake.gives.set()
        await stage.until(lambda: bool(stage.fake.inhibited))
        await stage.login.delay()
        await stage.until(lambda: stage.fake.held == 0)

    play(tmp_path, story)


def test_shutdowns_are_heard_and_that_they_were_called_off(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.login.listen()
        for begins in (True, False, True):
            stage.fake.shut_down(begins)
        assert [await stage.login.shutdown() for _ in range(3)] == [True, False, True]

    play(tmp_path, story)


def test_nobody_else_can_say_so(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.login.listen()
        for name in (None, *await asyncio.to_thread(names, stage.bus)):
            await asyncio.to_thread(impostor, stage.bus, name)
        stage.fake.shut_down(False)
        assert await stage.login.shutdown() is False

    play(tmp_path, story)
