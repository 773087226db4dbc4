"""Build: a directory with a Dockerfile made into an image archive, by buildah with storage of its own.

Steps run in a chroot: no daemon and no second runtime is needed. What was built stays in `storage`, so that a second
build of the same steps takes no time; but not where there are build arguments, which buildah 1.28 forgets when it looks
for a step that it knows.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_DRIVERS = {"overlay": "vfs"}
"""The storage driver by the file system below: overlayfs does not stack upon itself."""


class BuildError(Exception):
    """The image could not be built; the text says why."""


def build(
    name: str,
    directory: Path,
    archive: Path,
    storage: Path,
    contexts: Mapping[str, Path] | None = None,
    arguments: Sequence[str] = (),
) -> None:
    """Build `directory` as image `name` into an OCI archive. What the build says goes to our standard output.

    `contexts` are further directories that `COPY --from=NAME` may take from; `arguments` are NAME=VALUE for the
    Dockerfile's ARG. Raises BuildError.
    """
    if shutil.which("buildah") is None:
        raise BuildError("buildah is not installed: apt-get install buildah")
    if not directory.is_dir():
        raise BuildError(f"{directory} is not a directory")
    if not any((directory / file).is_file() for file in ("Dockerfile", "Containerfile")):
        raise BuildError(f"there is no Dockerfile in {directory}")
    storage.mkdir(parents=True, exist_ok=True, mode=0o700)
    more = [f"--build-context={key}={path}" for key, path in (contexts or {}).items()]
    more += [f"--build-arg={each}" for each in arguments]
    more += ["--no-cache"] if arguments else []
    _buildah(storage, "bud", "--isolation=chroot", "--layers", "--force-rm", *more, f"--tag={name}", str(directory))
    _buildah(storage, "push", "--quiet", name, f"oci-archive:{archive}:{name}")


def _buildah(storage: Path, *arguments: str) -> None:
    driver = _DRIVERS.get(_file_system(storage, Path("/proc/self/mounts").read_text()), "overlay")
    places = (f"--root={storage / 'root'}", f"--runroot={storage / 'run'}", f"--storage-driver={driver}")
    status = subprocess.run(["buildah", *places, *arguments], check=False).returncode
    if status:
        raise BuildError(f"buildah {arguments[0]} failed with status {status}: its output above says why")


def _file_system(path: Path, mounts: str) -> str:
    """The sort of file system that `path` lies on, from the content of /proc/self/mounts."""
    found = {Path(line.split()[1]): line.split()[2] for line in mounts.splitlines()}
    return next((found[each] for each in (path, *path.parents) if each in found), "")
