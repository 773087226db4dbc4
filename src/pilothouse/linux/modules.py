"""Kernel modules, asked for where the kernel does not have them built in. modprobe(8)."""

import shutil
import subprocess


def load(name: str) -> bool:
    """Ask for a module; says whether the kernel has it now as far as modprobe knows."""
    if shutil.which("modprobe") is None:
        return False
    return subprocess.run(["modprobe", "-q", name], check=False, capture_output=True).returncode == 0
