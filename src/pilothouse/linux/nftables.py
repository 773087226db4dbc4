"""nftables: scripts handed to nft, each one transaction: all of it happens, or nothing. nft(8)."""

import asyncio
from dataclasses import dataclass


class NftError(OSError):
    """The kernel or nft refused a script; nothing of it was done."""


@dataclass(frozen=True, slots=True)
class Nft:
    """The nft command, in our network namespace or in a named one."""

    prefix: tuple[str, ...] = ()
    """Words before the command, such as nsenter's."""

    async def apply(self, script: str) -> None:
        """Carry out a script. Raises NftError."""
        await self._run("-f", "-", script=script)

    async def list(self, what: str) -> str:
        """What `nft list WHAT` says. Raises NftError."""
        return await self._run("list", *what.split())

    async def _run(self, *arguments: str, script: str = "") -> str:
        try:
            child = await asyncio.create_subprocess_exec(
                *self.prefix, "nft", *arguments,
                # Only who reads a script gets one: writing to a command that has ended is an error of its own.
                stdin=asyncio.subprocess.PIPE if script else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise NftError("nft is not installed") from error
        output, complaint = await child.communicate(script.encode() if script else None)
        if child.returncode:
            raise NftError(complaint.decode(errors="replace").strip()[:2000] or f"nft ended with {child.returncode}")
        return output.decode()
