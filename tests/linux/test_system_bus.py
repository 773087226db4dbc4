"""A bus: a real dbus-daemon with nobody else on it, and sockets that are none."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from jeepney import DBusAddress

from fakes.logind import bus, needs_a_bus
from pilothouse.linux import system_bus
from pilothouse.linux.system_bus import BusError, SystemBus, connected
from pilothouse.runtime.clock import SystemClock

BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
CLOCK = SystemClock()


def play(root: Path, story: Callable[[SystemBus], Awaitable[None]]) -> None:
    async def main() -> None:
        with bus(root) as path:
            async with CLOCK.timeout(30), connected(CLOCK, path) as link:
                await story(link)

    asyncio.run(main())


@needs_a_bus
def test_services_are_called_and_answer(tmp_path: Path) -> None:
    async def story(link: SystemBus) -> None:
        assert await link.call(BUS, "NameHasOwner", "s", "org.example") == (False,)
        (names,) = await link.call(BUS, "ListNames")
        assert "org.freedesktop.DBus" in names
        assert await link.owner("org.freedesktop.DBus") == "org.freedesktop.DBus"
        assert isinstance(await link.property(BUS, "Features"), list)

    play(tmp_path, story)


@needs_a_bus
def test_what_they_refuse_is_told_in_their_words(tmp_path: Path) -> None:
    async def story(link: SystemBus) -> None:
        nobody = DBusAddress("/", "org.example", "org.example")
        with pytest.raises(BusError, match=r"^org\.freedesktop\.DBus\.Error\.ServiceUnknown: .*org\.example"):
            await link.call(nobody, "Anything")
        # It goes on.
        assert await link.call(BUS, "NameHasOwner", "s", "org.example") == (False,)

    play(tmp_path, story)


@needs_a_bus
def test_signals_are_kept_until_somebody_wants_them(tmp_path: Path) -> None:
    async def story(link: SystemBus) -> None:
        await link.subscribe(BUS, "NameOwnerChanged")
        # The bus tells of it before it answers; and of the first name, that we came, before that.
        await link.call(BUS, "RequestName", "su", "org.example", 0)
        heard = [await link.signal()]
        while heard[-1].member != "NameOwnerChanged":
            heard.append(await link.signal())
        assert (heard[-1].sender, heard[-1].body[0]) == ("org.freedesktop.DBus", "org.example")

    play(tmp_path, story)


@needs_a_bus
def test_a_bus_that_ends_is_noticed(tmp_path: Path) -> None:
    async def main() -> None:
        async with CLOCK.timeout(30):
            with bus(tmp_path) as path:
                context = connected(CLOCK, path)
                link = await context.__aenter__()
            assert (await link.signal()).member == "NameAcquired"
            with pytest.raises(BusError, match="the bus has hung up"):
                await link.signal()
            await context.__aexit__(None, None, None)

    asyncio.run(main())


def _no_bus(root: Path, answer: bytes | None) -> str:
    """What is told of a socket behind which somebody says this, or nothing."""

    async def main() -> str:
        path = root / "bus"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()

            def say() -> None:
                with listener.accept()[0] as link:
                    link.recv(1024)
                    if answer is not None:
                        link.sendall(answer)
                        link.recv(1024)

            saying = asyncio.get_running_loop().run_in_executor(None, say)
            with pytest.raises(BusError) as error:
                async with connected(CLOCK, path):
                    pass
            await saying
            return str(error.value)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "the bus has hung up"),
        (b"REJECTED EXTERNAL\r\n", "Authentication failed"),
        (b"HTTP/1.1 400 Bad Request\r\n", "Authentication failed"),
    ],
)
def test_whoever_is_no_bus_is_told_of(tmp_path: Path, answer: bytes | None, told: str) -> None:
    assert told in _no_bus(tmp_path, answer)


def test_a_bus_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_bus, "PATIENCE", 0.05)

    async def main() -> None:
        path = tmp_path / "bus"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            with pytest.raises(BusError, match="the bus does not answer"):
                async with connected(CLOCK, path):
                    pass

    asyncio.run(main())


def test_nonsense_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            theirs.sendall(b"nonsense" * 4)
            with pytest.raises(BusError, match="the bus speaks no D-Bus"):
                await SystemBus(ours, CLOCK).signal()

    asyncio.run(main())


def test_where_there_is_no_bus_the_system_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            async with connected(CLOCK, tmp_path / "bus"):
                pass

    asyncio.run(main())
