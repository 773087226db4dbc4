"""The kernel's messages: from a pipe that keeps its records apart as the device does, and from the machine's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pilothouse.linux.kernel_messages import DEVICE, KernelMessages, kernel_message


@contextmanager
def device() -> Iterator[tuple[Path, int]]:
    """Its path, and a descriptor to write records to."""
    reader, writer = os.pipe2(os.O_DIRECT)
    try:
        yield Path(f"/dev/fd/{reader}"), writer
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (b"6,339,5140900,-;NET: Registered\n", "NET: Registered"),
        (b"7,160,424069,-;pci_root: a (ignored)\n SUBSYSTEM=acpi\n DEVICE=+acpi:A\n", "pci_root: a (ignored)"),
        (b"4,1,2,c;half; of it\n", "half; of it"),
        (b"6,1,2,-;caf\xff\n", "caf�"),
        (b"12,7,9,-;a program speaks\n", None),
        (b"30,7,9,-;a service speaks\n", None),
        (b"nonsense", None),
        (b"x;nonsense", None),
    ],
)
def test_a_record_is_read(record: bytes, text: str | None) -> None:
    assert kernel_message(record) == text


def test_messages_are_read_as_they_are_said_and_programs_are_not_heard() -> None:
    with device() as (path, writer), KernelMessages(path) as messages:
        assert messages.read() is None
        os.write(writer, b"4,1,1,-;one\n")
        os.write(writer, b"12,2,1,-;a program's\n")
        os.write(writer, b"4,3,1,-;three\n")
        assert messages.read() == ["one", "three"]
        assert messages.read() is None
        os.write(writer, b"12,4,1,-;a program's\n")
        assert messages.read() == []
        assert messages.read() is None


def test_what_is_read_at_once_is_not_all_there_is() -> None:
    with device() as (path, writer), KernelMessages(path) as messages:
        messages.most = 10
        for number in range(12):  # a pipe holds few records, each has a page
            os.write(writer, b"4,1,1,-;%d\n" % number)
        assert messages.read() == [str(number) for number in range(10)]
        assert messages.read() == ["10", "11"]


def test_what_was_overwritten_before_it_was_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, read = [1], os.read

    def may_be_late(descriptor: int, most: int) -> bytes:
        if lost:
            lost.clear()
            raise BrokenPipeError
        return read(descriptor, most)

    with device() as (path, writer), KernelMessages(path) as messages:
        os.write(writer, b"4,9,1,-;next\n")
        monkeypatch.setattr(os, "read", may_be_late)
        assert messages.read() == ["next"]


def test_an_end_is_told() -> None:
    with KernelMessages(Path("/dev/null")) as messages, pytest.raises(OSError, match="have ended"):
        messages.read()


def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KernelMessages(tmp_path / "kmsg")


@pytest.mark.skipif(not os.access(DEVICE, os.R_OK), reason="the kernel's messages may not be read here")
def test_the_kernel_of_this_machine_has_said_something() -> None:
    with KernelMessages() as messages:
        assert messages.read()
