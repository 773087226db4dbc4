"""GET /pilothouse/backup: the whole store at one revision, as a file that `pilothouse restore` takes.

What leaves holds every Secret: only who may everything may ask, since no role names the path. The file is written
beside the store, for there is room for it, and is gone from the directory before its first byte leaves.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from pilothouse.api.machinery.errors import MethodNotAllowed
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.net.http import Response
from pilothouse.store.backup import write_backup
from pilothouse.store.interface import Listing, Store

PATH = "/pilothouse/backup"
_SLICE = 256 * 1024


class Backups:
    """Answers with backups of a store, made below `directory`, one at a time."""

    def __init__(self, store: Store, directory: Path) -> None:
        self._store = store
        self._place = directory / "backup.db"
        self._one = asyncio.Lock()

    async def answer(self, exchange: Exchange, _form: Form) -> Response | None:
        """A backup of this moment."""
        if exchange.info.path != PATH:
            return None
        if exchange.request.method != "GET":
            raise MethodNotAllowed("a backup is made with GET")
        async with self._one:
            listing = await self._store.list("")
            file = await asyncio.to_thread(self._make, listing)
        return Response(200, _slices(file), content_type="application/vnd.sqlite3")

    def _make(self, listing: Listing) -> BinaryIO:
        write_backup(listing, self._place)
        file = self._place.open("rb")
        self._place.unlink()
        return file


async def _slices(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _SLICE):
            yield piece
