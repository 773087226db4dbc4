"""`mounttest` prints what the tests of volumes compare."""

import os
from pathlib import Path

import pytest

from contract_images.agnhost.commands.mounttest import run


@pytest.fixture(autouse=True)
def umask() -> object:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_it_makes_a_file_and_tells_what_it_sees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new"
    assert (
        run([f"--new_file_0666={file}", f"--file_perm={file}", "--file_mode", str(tmp_path), f"--file_owner={file}"])
        == 0
    )
    assert capsys.readouterr().out == (
        f'content of file "{file}": mount-tester new file\n\n'
        f'mode of file "{tmp_path}": drwx------\n'
        f'perms of file "{file}": -rw-rw-rw-\n'
        f'owner UID of "{file}": {os.getuid()}\n'
        f'owner GID of "{file}": {os.getgid()}\n'
    )


@pytest.mark.parametrize("mode", ["0644", "0660", "0777"])
def test_a_new_file_has_the_mode_that_it_is_asked_for(mode: str, tmp_path: Path) -> None:
    assert run([f"--new_file_{mode}={tmp_path / 'new'}"]) == 0
    assert (tmp_path / "new").stat().st_mode & 0o777 == int(mode, 8)


def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "there"
    file.write_text("something that is longer than what is written")
    file.chmod(0o600)
    assert run([f"--new_file_0777={file}"]) == 0
    assert file.read_text() == "mount-tester new file\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_type_of_a_file_system_is_a_number_unless_it_is_tmpfs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--fs_type=/dev/shm"]) == 0
    assert run(["--fs_type=/proc"]) == 0
    assert capsys.readouterr().out == 'mount type of "/dev/shm": tmpfs\nmount type of "/proc": 40864\n'


def test_bytes_are_printed_as_they_are(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"\xff\x00\r\n\xc3\xa4")
    assert run([f"--file_content={file}"]) == 0
    assert capfdbinary.readouterr().out == f'content of file "{file}": '.encode() + b"\xff\x00\r\n\xc3\xa4\n"


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("file_content", 'error reading file content for "{}": open {}: no such file or directory\n'),
        ("file_mode", 'error from Stat("{}"): stat {}: no such file or directory\n'),
        ("file_perm", 'error from Stat("{}"): stat {}: no such file or directory\n'),
        ("file_owner", 'error from stat("{}"): no such file or directory\n'),
        ("fs_type", 'error from statfs("{}"): no such file or directory\n'),
        ("new_file_0644", 'error writing new file "{}": open {}: no such file or directory\n'),
    ],
)
def test_what_fails_is_said_and_the_rest_is_done(
    flag: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing" / "file"
    there = tmp_path / "there"
    there.write_text("text")
    assert run([f"--{flag}={missing}", f"--file_content_in_loop={there}", "--retry_time=0"]) == 1
    assert capsys.readouterr().out == says.format(missing, missing)


def test_content_is_watched_until_it_is_what_is_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mount-tester new file\n")
    assert run([f"--file_content_in_loop={file}"]) == 0
    assert capsys.readouterr().out == f'content of file "{file}": mount-tester new file\n\n'
