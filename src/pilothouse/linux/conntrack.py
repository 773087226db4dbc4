"""conntrack: forgetting flows that the kernel would go on translating as it did before. conntrack(8)."""

import asyncio
from collections.abc import Sequence


class ConntrackError(OSError):
    """Flows could not be forgotten."""


async def forget(*filters: str, prefix: Sequence[str] = ()) -> None:
    """Delete the flows that match, such as `forget("-p", "udp", "--orig-dst", "10.96.0.9")`. Raises ConntrackError."""
    try:
        child = await asyncio.create_subprocess_exec(
            *prefix, "conntrack", "-D", *filters,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise ConntrackError("conntrack is not installed") from error
    _, complaint = await child.communicate()
    # It ends with 1 and this line also where there was nothing to delete.
    if child.returncode and b"0 flow entries have been deleted" not in complaint:
        raise ConntrackError(complaint.decode(errors="replace").strip()[:500])
