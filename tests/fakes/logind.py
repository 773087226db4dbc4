"""systemd-logind, as far as kubelets know it, on a bus of its own: a real dbus-daemon without anything else on it.

It speaks through jeepney's blocking connection, in a thread: nothing of it is shared with what is tested.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

PROGRAM = shutil.which("dbus-daemon")
needs_a_bus = pytest.mark.skipif(PROGRAM is None, reason="needs dbus-daemon")
PATH, INTERFACE = "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextmanager
def bus(root: Path) -> Iterator[Path]:
    """A bus with nobody on it: its socket."""
    assert PROGRAM is not None
    socket, config = root / "bus", root / "bus.conf"
    socket.unlink(missing_ok=True)
    config.write_text(_CONFIG.format(socket=socket))
    command = [PROGRAM, f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        try:
            assert daemon.stdout.readline().startswith(b"unix:path=")
            yield socket
        finally:
            daemon.terminate()


class FakeLogind:
    """Its locks are pipes, as logind's are."""

    def __init__(self, socket: Path, drop_ins: Path) -> None:
        self.delay = 5_000_000
        """Microseconds, as its configuration has it."""
        self.names = ["org.freedesktop.login1", "org.freedesktop.systemd1"]
        self.inhibited: list[tuple[str, ...]] = []
        self.reloads: list[tuple[Any, ...]] = []
        self.refusal = ""
        """Why it gives no locks."""
        self.gives = threading.Event()
        """Whether it gives locks now, or whoever wants one waits."""
        self.gives.set()
        self._locks: list[int] = []
        self._drop_ins = drop_ins
        self._link: DBusConnection = open_dbus_connection(f"unix:path={socket}", enable_fds=True)
        for name in self.names:
            self._link.send_and_get_reply(message_bus.RequestName(name))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="logind")
        self._thread.start()

    @property
    def held(self) -> int:
        """How many locks there are that nobody has let go of."""
        return sum(_is_open(one) for one in self._locks)

    def shut_down(self, begins: bool) -> None:
        """Tell everybody."""
        emitter = DBusAddress(PATH, interface=INTERFACE)
        self._link.send(new_signal(emitter, "PrepareForShutdown", "b", (begins,)))

    def close(self) -> None:
        """Gone from the bus, and its locks with it."""
        self._over.set()
        self.gives.set()
        self._thread.join()
        self._link.close()
        for lock in self._locks:
            os.close(lock)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                message = self._link.receive(timeout=0.02)
            except TimeoutError:
                continue
            except (ConnectionError, OSError):
                return
            if message.header.message_type is MessageType.method_call:
                self._answer(message)

    def _answer(self, message: Message) -> None:
        member = message.header.fields[HeaderFields.member]
        if member == "Get":
            assert message.body == (INTERFACE, "InhibitDelayMaxUSec")
            self._link.send(new_method_return(message, "v", (("t", self.delay),)))
        elif member == "Inhibit" and self.refusal:
            name = "org.freedesktop.DBus.Error.AccessDenied"
            self._link.send(new_error(message, name, "s", (self.refusal,)))
        elif member == "Inhibit":
            self.gives.wait()
            self.inhibited.append(message.body)
            reader, writer = os.pipe2(os.O_NONBLOCK)
            self._locks.append(reader)
            self._link.send(new_method_return(message, "h", (writer,)))
            os.close(writer)
        elif member == "KillUnit":
            self.reloads.append(message.body)
            for path in sorted(self._drop_ins.glob("*.conf")):
                settings = dict(line.split("=") for line in path.read_text().splitlines() if "=" in line)
                self.delay = int(settings["InhibitDelayMaxSec"]) * 1_000_000
            self._link.send(new_method_return(message))


def _is_open(lock: int) -> bool:
    """Whether anybody has the other end."""
    try:
        return os.read(lock, 1) != b""
    except BlockingIOError:
        return True


@contextmanager
def logind(socket: Path, drop_ins: Path) -> Iterator[FakeLogind]:
    """On the bus while the block lasts."""
    fake = FakeLogind(socket, drop_ins)
    try:
        yield fake
    finally:
        fake.close()


def impostor(socket: Path, to: str | None = None) -> None:
    """Somebody else on the bus says what only logind may say; to everybody, or to one."""
    with open_dbus_connection(f"unix:path={socket}") as link:
        signal = new_signal(DBusAddress(PATH, interface=INTERFACE), "PrepareForShutdown", "b", (True,))
        if to is not None:
            signal.header.fields[HeaderFields.destination] = to
        link.send_and_get_reply(message_bus.ListNames())
        link.send(signal)
        link.send_and_get_reply(message_bus.ListNames())


def names(socket: Path) -> list[str]:
    """Who is on the bus, by the names that everybody has."""
    with open_dbus_connection(f"unix:path={socket}") as link:
        (found,) = link.send_and_get_reply(message_bus.ListNames()).body
        return [name for name in found if name.startswith(":") and name != link.unique_name]
