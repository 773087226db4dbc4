"""Looks at files and makes some: what the tests of volumes run.

The order is part of the behaviour: the type of file system first, new files next, then what there is to see of them.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence

from contract_images.agnhost.flags import Flags
from contract_images.agnhost.wording import permissions, quoted, reason, whole_mode

_CONTENT = "mount-tester new file\n"
_BETWEEN = 2.0
_TMPFS = 0x01021994


def run(arguments: Sequence[str]) -> int:
    """Do everything that a flag asks for; the status is 1 when something failed."""
    flags = Flags(
        arguments,
        {
            **dict.fromkeys((name for name, _ in _STEPS), ""),
            "file_content_in_loop": "",
            "retry_time": 180,
            "break_on_expected_content": True,
        },
    )
    os.umask(0)
    done = [step(flags.text(name)) for name, step in _STEPS if flags.text(name)]
    if looped := flags.text("file_content_in_loop"):
        done.append(watch_content(looped, flags.number("retry_time"), flags.on("break_on_expected_content")))
    return 0 if all(done) else 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def file_system(path: str) -> bool:
    """Say which type of file system `path` lies on: tmpfs by name, others by number."""
    try:
        os.statvfs(path)
    except OSError as error:
        _say(f"error from statfs({quoted(path)}): {reason(error)}")
        return False
    import subprocess  # what the other steps need not wait for

    number = subprocess.run(["stat", "-f", "-c", "%t", path], check=True, capture_output=True, text=True).stdout
    magic = int(number, 16)
    _say(f"mount type of {quoted(path)}: {'tmpfs' if magic == _TMPFS else magic}")
    return True


def new_file(mode: int) -> Callable[[str], bool]:
    """A step that writes a file, made with `mode` when it is not there yet, and reads it."""

    def step(path: str) -> bool:
        try:
            with open(path, "w", opener=lambda name, how: os.open(name, how, mode)) as file:
                file.write(_CONTENT)
        except OSError as error:
            _say(f"error writing new file {quoted(path)}: open {path}: {reason(error)}")
            return False
        return content(path)

    return step


def _stat(path: str, word: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - fast start
    except OSError as error:
        about = f"stat {path}: " if word == "Stat" else ""
        _say(f"error from {word}({quoted(path)}): {about}{reason(error)}")
        return None


def mode(path: str) -> bool:
    """Say the kind and the mode."""
    if found := _stat(path, "Stat"):
        _say(f"mode of file {quoted(path)}: {whole_mode(found.st_mode)}")
    return found is not None


def perms(path: str) -> bool:
    """Say the mode without the kind."""
    if found := _stat(path, "Stat"):
        _say(f"perms of file {quoted(path)}: {permissions(found.st_mode)}")
    return found is not None


def owner(path: str) -> bool:
    """Say whose it is."""
    if found := _stat(path, "stat"):
        _say(f"owner UID of {quoted(path)}: {found.st_uid}\nowner GID of {quoted(path)}: {found.st_gid}")
    return found is not None


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:  # noqa: PTH123 - fast start
        return file.read()


def content(path: str) -> bool:
    """Say what is in it."""
    try:
        text = _read(path)
    except OSError as error:
        _say(f"error reading file content for {quoted(path)}: open {path}: {reason(error)}")
        return False
    _print_content(path, text)
    return True


def _print_content(path: str, text: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(f"content of file {quoted(path)}: {text}\n".encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def watch_content(path: str, seconds: int, until_expected: bool) -> bool:
    """Say again and again what is in it: until it is what `new_file` writes, if that is asked for, or time is up."""
    end = time.monotonic() + seconds
    read = True
    while time.monotonic() < end:
        try:
            text, read = _read(path), True
        except OSError as error:
            _say(f"Error reading file {path}: open {path}: {reason(error)}, retrying")
            read = False
        else:
            _print_content(path, text)
            if until_expected and text == _CONTENT:
                break
            if until_expected:
                sys.stdout.write(f"Unexpected content. Expected: {_CONTENT}. Retrying")
                sys.stdout.flush()
        time.sleep(_BETWEEN)
    return read


_STEPS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("fs_type", file_system),
    ("new_file_0644", new_file(0o644)),
    ("new_file_0666", new_file(0o666)),
    ("new_file_0660", new_file(0o660)),
    ("new_file_0777", new_file(0o777)),
    ("file_mode", mode),
    ("file_perm", perms),
    ("file_owner", owner),
    ("file_content", content),
)
