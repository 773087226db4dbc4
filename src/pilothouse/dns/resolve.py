"""Resolve: one packet in, one packet out: from the zone, from the cache, or from the resolvers outside.

What the zone knows is answered at once, without a task; only what has to be asked outside waits.
"""

from collections.abc import Awaitable

import dnslib

from pilothouse.dns.cache import Cache
from pilothouse.dns.encode import Answers
from pilothouse.dns.forward import ForwardError, Resolver
from pilothouse.dns.wire import (
    ADDRESS_LENGTHS,
    FORMERR,
    NOTIMP,
    REFUSED,
    SERVFAIL,
    FormatError,
    Query,
    addresses,
    failure,
    fit,
    parse_query,
    refusal,
    reply,
)
from pilothouse.dns.zone import Answer, Outcome, Zone

_BADVERS = 16
_IN, _ANY = 1, 255
_TRANSFERS = (251, 252)
BUSY = 1_000
"""Questions asked outside at once; more are refused, so that a flood ends here."""


class Resolution:
    """The way of a packet."""

    def __init__(self, zone: Zone, cache: Cache, outside: Resolver) -> None:
        self._zone = zone
        self._answers = Answers(zone)
        self._cache = cache
        self._outside = outside
        self._busy = 0

    def resolve(self, packet: bytes, *, stream: bool) -> bytes | Awaitable[bytes] | None:
        """The answer; or an awaitable, where others must be asked; or None, where none is due. Raises nothing."""
        try:
            query = parse_query(packet)
        except FormatError:
            return failure(packet, FORMERR)
        if query is None:
            return None
        wrong = _unfit(query)
        if wrong:
            return refusal(query, wrong)
        kept = self._answers.kept(query) or self._cache.get(query)
        if kept is not None:
            return fit(reply(kept, query), query, stream=stream)
        answer = self._zone.answer(query.name, dnslib.QTYPE.forward.get(query.type, str(query.type)))
        if answer.outcome is not Outcome.NOT_OURS and not answer.alias:
            return fit(self._answers.make(query, answer), query, stream=stream)
        if answer.alias and query.type not in ADDRESS_LENGTHS:
            return fit(self._answers.make(query, answer), query, stream=stream)
        if self._busy >= BUSY:
            return refusal(query, REFUSED)
        return self._ask(query, answer, stream)

    async def _ask(self, query: Query, answer: Answer, stream: bool) -> bytes:
        self._busy += 1
        try:
            if answer.alias:
                found = await self._alias(query, answer)
            else:
                found = await self._outside.ask(query)
                self._cache.put(query, found)
        except (ForwardError, FormatError):
            return refusal(query, SERVFAIL)
        finally:
            self._busy -= 1
        return fit(reply(found, query), query, stream=stream)

    async def _alias(self, query: Query, answer: Answer) -> bytes:
        """An alias that leads outside: the addresses it ends at follow it in the answer, under its target's name."""
        asked = dnslib.DNSRecord(dnslib.DNSHeader(rd=1), q=dnslib.DNSQuestion(answer.alias, query.type))
        further = parse_query(bytes(asked.pack()))
        assert further is not None
        found = self._cache.get(further)
        if found is None:
            found = await self._outside.ask(further)
            self._cache.put(further, found)
        return self._answers.make(query, answer, addresses(found))


def _unfit(query: Query) -> int:
    """The code for a query that we do not serve."""
    if query.flags & 0x7800:
        return NOTIMP
    if query.version:
        return _BADVERS
    if query.klass not in (_IN, _ANY) or query.type in _TRANSFERS:
        return REFUSED
    return 0
