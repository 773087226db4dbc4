"""The versions of kubectl that this machine has."""

import shutil
from pathlib import Path

OLD = Path(__file__).parents[2] / ".cache" / "kubernetes-client" / "usr" / "bin" / "kubectl"
"""Debian's 1.20, which `make packages` unpacks there."""


def installed() -> list[str]:
    """The kubectl of the PATH, or the versions that lie beside it as `kubectl.1.27`."""
    found = shutil.which("kubectl")
    if found is None:
        return []
    beside = sorted(Path(found).resolve().parent.glob("kubectl.1.*"))
    return [str(path) for path in beside] or [found]
