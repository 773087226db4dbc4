"""The compactor: every five minutes history of more than five minutes is let go, by one of several API servers.

All hold the same record's version for the number of the round. Whoever changes it first does the round's work; the
others learn from it which round it is. The record is upstream's, so that servers of both kinds could share an etcd.
Source: apiserver/pkg/storage/etcd3/compact.go.
"""

from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.store.etcd import table
from pilothouse.store.etcd.connection import Connection, Refused
from pilothouse.store.interface import Revision, Unavailable

KEY = b"compact_rev_key"
_log = Log(__name__)


class Compactor:
    """One API server's part in it."""

    def __init__(self, connection: Connection, clock: Clock, interval: float) -> None:
        self._connection = connection
        self._clock = clock
        self._interval = interval
        self._round = 0
        self._before: Revision = 0
        """What the latest revision was one interval ago."""

    async def run(self) -> None:
        """Take part for ever."""
        while True:
            await self._clock.sleep(self._interval)
            try:
                await self.take_turn()
            except Unavailable as error:
                _log.warning("etcd could not be compacted", error=str(error))

    async def take_turn(self) -> bool:
        """Compact, unless another has in this round; whether it was us. Raises Unavailable."""
        messages, call = self._connection.messages, self._connection.call
        put = {"request_put": {"key": KEY, "value": str(self._before).encode()}}
        request = messages["TxnRequest"](
            compare=[{"target": table.VERSION, "key": KEY, "version": self._round}],
            success=[put],
            failure=[{"request_range": {"key": KEY}}],
        )
        answer = await call("Txn", request)
        before, self._before = self._before, answer.header.revision
        if not answer.succeeded:
            found = answer.responses[0].response_range.kvs
            self._round = found[0].version if found else 0
            return False
        self._round += 1
        if not before:
            return False
        try:
            await call("Compact", messages["CompactionRequest"](revision=before), repeatable=True)
        except Refused:
            _log.info("etcd was compacted by others", revision=before)
        return True
