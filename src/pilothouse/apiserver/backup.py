"""GET /pilothouse/backup: the whole store at one revision, as a file that `pilothouse restore` takes.

What leaves holds every Secret: only who may read every object may ask. Leave for the path alone is not enough, as roles
that mean all paths are given to whoever collects metrics. The file is written beside the store, for there is room for
it, and is gone from the directory before its first byte leaves.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from pilothouse.api.machinery.errors import MethodNotAllowed
from pilothouse.apiserver.authorization.framework import Attributes
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
        self._directory = directory
        self._one = asyncio.Lock()

    async def answer(self, exchange: Exchange, _form: Form) -> Response | None:
        """A backup of this moment."""
        if exchange.info.path != PATH:
            return None
        if exchange.request.method != "GET":
            raise MethodNotAllowed("a backup is made with GET")
        for verb in ("get", "list"):
            exchange.demand(Attributes(exchange.user, verb, "*", "*", "*"))
        async with self._one:
            listing = await self._store.list("")
            file = await asyncio.to_thread(self._make, listing)
        return Response(200, _slices(file), content_type="application/vnd.sqlite3")

    def _make(self, listing: Listing) -> BinaryIO:
        """Where nobody else is: a backup whose client has left is made to its end while the next begins."""
        with TemporaryDirectory(prefix=".backup-", dir=self._directory) as directory:
            place = Path(directory) / "backup.db"
            write_backup(listing, place)
            return place.open("rb")


async def _slices(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _SLICE):
            yield piece
