"""Home: the directory that holds everything of one cluster, and where in it each thing lies.

Every role has a directory of its own that only its user may enter: what the API server keeps, nobody but it (and
root) can read. The home itself may be passed through, not listed.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pilothouse.cluster.errors import ClusterError
from pilothouse.runtime.whole_file import write_whole

_LONGEST_SOCKET = 107
_SOCKET = "node/run/containerd.sock"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below the cluster's directory."""

    path: Path

    @property
    def cluster(self) -> str:
        """The cluster's short name on this machine: names links, rules and groups that stand outside the home."""
        return hashlib.blake2s(os.fsencode(self.path), digest_size=4).hexdigest()

    @property
    def settings(self) -> Path:
        """What `up` was told, once and for all."""
        return self.path / "cluster.json"

    @property
    def admin(self) -> Path:
        """The administrator's kubeconfig."""
        return self.path / "admin.kubeconfig"

    @property
    def authority(self) -> Path:
        """The certificate authority, with its key: for root alone, or for whoever ran `up`. `pki` copies it once."""
        return self.path / "authority"

    @property
    def supervisor(self) -> Path:
        """Where the supervisor keeps note of its processes."""
        return self.path / "supervisor"

    @property
    def inventory(self) -> Path:
        """What was made outside the home."""
        return self.path / "inventory.jsonl"

    @property
    def logs(self) -> Path:
        """One file a role."""
        return self.path / "logs"

    def role(self, name: str) -> Path:
        """What belongs to one role, readable by its user alone."""
        return self.path / name

    @property
    def state(self) -> Path:
        """The API server's SQLite store."""
        return self.role("apiserver") / "state.db"

    @property
    def node(self) -> Path:
        """What belongs to the node: images, pods, addresses."""
        return self.role("node")

    @property
    def images(self) -> Path:
        """Where images are built."""
        return self.path / "images"

    def exists(self) -> bool:
        """Whether a cluster was ever made here."""
        return self.settings.exists()

    def check(self) -> None:
        """Raise ClusterError for a directory that cannot be, or is not, a cluster's home."""
        with self._in_words():
            if self.path.exists() and not self.path.is_dir():
                raise ClusterError(f"{self.path} is not a directory: name another with --home")
            if self.path.is_dir() and not self.exists() and any(each.name != "lock" for each in self.path.iterdir()):
                raise ClusterError(f"{self.path} holds something else: name an empty or new directory with --home")
        if len(os.fsencode(self.path / _SOCKET)) > _LONGEST_SOCKET:
            raise ClusterError(
                f"{self.path} is too long, a socket below it must fit in {_LONGEST_SOCKET} bytes: "
                "name a shorter directory with --home"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands that change this cluster out. Raises ClusterError when one is at work."""
        with self._in_words():
            self.path.mkdir(parents=True, exist_ok=True, mode=0o711)
            file = (self.path / "lock").open("a")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ClusterError(f"another command works on the cluster in {self.path}: wait for it to end") from None
            yield

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Make what the system refuses a sentence that says what to do."""
        try:
            yield
        except PermissionError:
            raise ClusterError(
                f"{self.path} is not ours to use: name a directory of your own with --home, or run this as its owner"
            ) from None
        except OSError as error:
            raise ClusterError(f"{self.path} cannot be a home ({error.strerror}): name another with --home") from None


def default_home(*, root: bool, user_home: Path) -> Path:
    """Where a cluster lives when nobody says."""
    return Path("/var/lib/pilothouse") if root else user_home / ".local/share/pilothouse"


def write_private(path: Path, content: bytes, owner: int = -1) -> None:
    """Write a file that only `owner` (a user id; -1 for ourselves) can read, whole or not at all."""
    write_whole(path, content, owner=owner)


def private_directory(path: Path, owner: int = -1) -> Path:
    """Have a directory that only `owner` may enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    if owner >= 0:
        os.chown(path, owner, owner)
    return path
