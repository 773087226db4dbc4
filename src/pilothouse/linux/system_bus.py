"""A connection to a bus of D-Bus: services are called, and signals heard. dbus.freedesktop.org, "D-Bus Specification".

The messages are jeepney's. What carries them is ours, because its own connection for asyncio passes no descriptors,
and whoever holds up a shutdown is given one.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, Parser, new_method_call
from jeepney.auth import BEGIN, Authenticator
from jeepney.fds import FileDescriptor, fds_buf_size

from pilothouse.linux.readable import readable
from pilothouse.runtime.clock import Clock

SOCKET = Path("/run/dbus/system_bus_socket")
PATIENCE = 25.0
"""Seconds in which a service answers, or does not."""
_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")


class BusError(Exception):
    """The bus, or a service on it, does not do what was asked."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that a service tells everybody."""

    sender: str
    interface: str
    member: str
    body: tuple[Any, ...]


class SystemBus:
    """For one user, who does one thing at a time. Methods raise BusError and OSError."""

    def __init__(self, link: socket.socket, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._parser = Parser()
        self._serial = 0
        self._signals: deque[Signal] = deque()

    async def call(self, of: DBusAddress, member: str, signature: str = "", *arguments: object) -> tuple[Any, ...]:
        """What the service answers. Descriptors in it are the caller's to close."""
        message = new_method_call(of, member, signature or None, arguments)
        try:
            async with self._clock.timeout(PATIENCE):
                answer = await self._answer(message)
        except TimeoutError:
            raise BusError(f"{of.bus_name} did not answer {member} in {PATIENCE:g} seconds") from None
        if answer.header.message_type is MessageType.error:
            told = "".join(f": {one}" for one in answer.body if isinstance(one, str))
            raise BusError(f"{answer.header.fields.get(HeaderFields.error_name)}{told}")
        return tuple(answer.body)

    async def property(self, of: DBusAddress, name: str) -> object:
        """What a property of an object is."""
        address = of.with_interface("org.freedesktop.DBus.Properties")
        ((_, value),) = await self.call(address, "Get", "ss", of.interface, name)
        return value

    async def subscribe(self, of: DBusAddress, member: str) -> None:
        """Have signals from now on."""
        rule = {"type": "signal", "sender": of.bus_name, "path": of.object_path, "interface": of.interface}
        text = ",".join(f"{name}='{value}'" for name, value in {**rule, "member": member}.items())
        await self.call(_BUS, "AddMatch", "s", text)

    async def signal(self) -> Signal:
        """The next one. Anybody may send one straight to us: see who did."""
        while not self._signals:
            self._discard(await self._receive())
        return self._signals.popleft()

    async def owner(self, name: str) -> str:
        """Who has a service's name now, as senders of messages are called."""
        (owner,) = await self.call(_BUS, "GetNameOwner", "s", name)
        return str(owner)

    async def _answer(self, message: Message) -> Message:
        self._serial += 1
        await asyncio.get_running_loop().sock_sendall(self._link, message.serialise(self._serial))
        while True:
            heard = await self._receive()
            if heard.header.fields.get(HeaderFields.reply_serial) == self._serial:
                return heard
            self._discard(heard)

    def _discard(self, message: Message) -> None:
        """Nobody waits for it: keep it if it is a signal."""
        if message.header.message_type is MessageType.signal:
            names = (HeaderFields.sender, HeaderFields.interface, HeaderFields.member)
            sender, interface, member = (str(message.header.fields.get(name, "")) for name in names)
            self._signals.append(Signal(sender, interface, member, tuple(message.body)))
        for one in message.body:
            if isinstance(one, FileDescriptor):
                one.close()

    async def _receive(self) -> Message:
        while (message := self._parse()) is None:
            data, descriptors = await self._read(self._parser.bytes_desired())
            self._parser.add_data(data, descriptors)
        return message

    def _parse(self) -> Message | None:
        try:
            return self._parser.get_next_message()
        except (ValueError, LookupError, struct.error) as error:
            raise BusError(f"the bus speaks no D-Bus: {error}") from error

    async def _read(self, most: int) -> tuple[bytes, list[FileDescriptor]]:
        while True:
            try:
                data, more, _, _ = self._link.recvmsg(most, fds_buf_size(), socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                await readable(self._link.fileno())
                continue
            if not data:
                raise BusError("the bus has hung up")
            return data, FileDescriptor.from_ancdata(more)

    async def _greet(self) -> None:
        """Say who we are, which the kernel vouches for. Both sides pass descriptors."""
        loop, talk = asyncio.get_running_loop(), Authenticator(enable_fds=True)
        try:
            for line in talk:
                await loop.sock_sendall(self._link, line)
                talk.feed((await self._read(1024))[0])
        except ValueError as error:
            raise BusError(str(error)) from error
        await loop.sock_sendall(self._link, BEGIN)
        await self.call(_BUS, "Hello")


@asynccontextmanager
async def connected(clock: Clock, path: Path = SOCKET) -> AsyncIterator[SystemBus]:
    """A connection while the block lasts. Raises BusError, OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as link:
        await asyncio.get_running_loop().sock_connect(link, str(path))
        bus = SystemBus(link, clock)
        try:
            async with clock.timeout(PATIENCE):
                await bus._greet()
        except TimeoutError:
            raise BusError("the bus does not answer") from None
        yield bus
