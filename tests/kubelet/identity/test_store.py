"""The current pair: what it is, where it lies, and who hears of another."""

from pathlib import Path

import pytest

from kubelet.identity.asking import DAY, pair
from pilothouse.kubelet.identity.store import CLIENT, CertificateStore, split
from pilothouse.net.pki import KeyPair
from pilothouse.testing.loop import EPOCH


class Clock:
    """Says what time it is, and does nothing else."""

    def __init__(self, now: float = EPOCH) -> None:
        self.time = now

    def now(self) -> float:
        return self.time


def store(directory: Path, start: KeyPair | None = None, now: float = EPOCH) -> CertificateStore:
    return CertificateStore(directory, CLIENT, Clock(now), start)  # type: ignore[arg-type]


def test_a_new_pair_is_kept_under_its_time_and_the_link_leads_to_it(tmp_path: Path) -> None:
    kept, heard = store(tmp_path / "pki"), list[KeyPair]()
    kept.on_change(heard.append)
    first, second = pair(), pair(life=200 * DAY)
    kept.update(first)
    kept._clock.time += 61  # type: ignore[attr-defined]
    kept.update(second)
    assert sorted(path.name for path in (tmp_path / "pki").iterdir()) == [
        "kubelet-client-2026-01-01-00-00-00.pem", "kubelet-client-2026-01-01-00-01-01.pem",
        "kubelet-client-current.pem",
    ]  # fmt: skip
    assert kept.path.readlink() == tmp_path / "pki" / "kubelet-client-2026-01-01-00-01-01.pem"
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert (heard, kept.current()) == ([first, second], second)
    again = store(tmp_path / "pki").current()
    assert again is not None
    assert again.key.strip() == second.key.strip()
    assert again.certificate.strip() == second.certificate.strip()


@pytest.mark.parametrize(
    ("kept", "start", "after", "shown"),
    [
        (None, None, 0, None),
        (None, 100, 0, 100),
        (200, 100, 0, 200),
        (100, 200, 0, 200),
        (10, None, 11, None),
        (10, 100, 11, 100),
        (10, 5, 11, None),
    ],
    ids=["none", "given", "renewed", "given anew", "ended", "ended, given anew", "both ended"],
)
def test_the_pair_that_is_good_for_longest_is_shown(
    tmp_path: Path, kept: int | None, start: int | None, after: int, shown: int | None
) -> None:
    pairs = {days: pair(life=days * DAY) for days in (kept, start) if days is not None}
    if kept is not None:
        store(tmp_path).update(pairs[kept])
    found = store(tmp_path, None if start is None else pairs[start], EPOCH + after * DAY).current()
    assert (found and found.certificate.strip()) == (None if shown is None else pairs[shown].certificate.strip())


def test_what_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "kubelet-client-current.pem").write_bytes(b"nonsense")
    assert store(tmp_path).last is None
    start = pair()
    assert store(tmp_path, start).current() == start


def test_no_pair_is_not_kept(tmp_path: Path) -> None:
    kept = store(tmp_path)
    with pytest.raises(ValueError, match="does not belong"):
        kept.update(KeyPair(pair().certificate, pair().key))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_links_place_stays(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="to be a symlink but it is a file"):
        kept.update(pair())
    assert kept.path.read_bytes() == b"mine"


def test_a_change_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "kubelet-client-updated.pem").symlink_to(tmp_path / "gone")
    kept = store(tmp_path)
    kept.update(pair())
    assert kept.path.resolve().name == "kubelet-client-2026-01-01-00-00-00.pem"
    assert not (tmp_path / "kubelet-client-updated.pem").is_symlink()


def test_one_file_has_both() -> None:
    made = pair()
    assert split(made.key + made.certificate) == KeyPair(made.certificate, made.key)
    with pytest.raises(ValueError, match="no private key"):
        split(made.certificate)
