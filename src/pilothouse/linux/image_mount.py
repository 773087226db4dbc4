"""An image's layers as one directory of which nothing can be written or run, by mount(8) in a process of its own.

Of many layers the names are longer than the kernel takes (a page): they are given relative to where all of them lie,
and what is relative is looked up from the directory of the process that mounts. Overlay: kernel documentation,
filesystems/overlayfs.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from pilothouse.runtime.clock import Clock

_PATIENCE = 60.0
_FLAGS = "ro,noexec"


async def mount_layers(layers: Sequence[Path], target: Path, clock: Clock) -> None:
    """Mount the layers, the topmost first, at `target`. Raises OSError."""
    command, beside = mount_command(layers, target)
    child = await asyncio.create_subprocess_exec(
        *command, cwd=beside, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with clock.timeout(_PATIENCE):
            told, _ = await child.communicate()
    except BaseException:
        child.kill()
        await child.wait()
        raise
    if child.returncode:
        raise OSError(f"mount failed: exit status {child.returncode}: {told.decode(errors='replace').strip()}")


def mount_command(layers: Sequence[Path], target: Path) -> tuple[list[str], Path]:
    """The command, and where it is to be run."""
    if len(layers) == 1:
        return ["mount", "-o", f"bind,{_FLAGS}", "--", str(layers[0]), str(target)], Path("/")
    beside = Path(os.path.commonpath(layers))
    lower = ":".join(str(layer.relative_to(beside)) for layer in layers)
    return ["mount", "-t", "overlay", "-o", f"{_FLAGS},lowerdir={lower}", "--", "overlay", str(target)], beside
