"""The low-level runtimes that are installed, each by the name that a RuntimeClass has for it."""

import shutil
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Handler:
    """A low-level runtime that a RuntimeClass may name."""

    type: str
    binary: str = ""


def detect_handlers(path: str | None = None) -> dict[str, Handler]:
    """The handlers whose programs are installed."""
    known = {
        "runc": ("runc", Handler("io.containerd.runc.v2", "runc")),
        "crun": ("crun", Handler("io.containerd.runc.v2", "crun")),
        "runsc": ("containerd-shim-runsc-v1", Handler("io.containerd.runsc.v1")),
        "kata": ("containerd-shim-kata-v2", Handler("io.containerd.kata.v2")),
    }
    return {name: handler for name, (program, handler) in known.items() if shutil.which(program, path=path)}
