"""The ledger: quotas by namespace, and writes that wait to be charged to them.

Writes to one namespace are decided on one after the other, so that two never both get the last place; those that have
come while one was being charged are charged together, by one write for each quota. That write succeeds only if the
quota is as it was read: with other servers, and with the controller, we take turns by trying again. Managed fields stay
as the controller's write left them. Source: controller.go and resource_access.go beside upstream's plugin.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from pilothouse.api.core.resource_quota.admit import Limited, Quota, QuotaError, admit
from pilothouse.api.core.resource_quota.evaluator import Change, Evaluator
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry.by_namespace import ByNamespace
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.runtime.clock import Clock
from pilothouse.store.interface import Conflict

_ATTEMPTS = 4


@dataclass(slots=True, eq=False)
class Asked:
    """A write that waits for its answer."""

    evaluator: Evaluator
    change: Change
    name: str
    limited: Sequence[Limited] = ()
    dry_run: bool = False
    answered: bool = False
    refusal: StatusError | None = None

    def answer(self, refusal: StatusError | None = None) -> None:
        """Let it be made, or not."""
        self.answered, self.refusal = True, refusal


@dataclass(slots=True, eq=False)
class _Line:
    """Those who wait in a namespace. Who has the lock decides for all."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[Asked] = field(default_factory=list)


class Ledger:
    """Charges quotas."""

    def __init__(self, cache: WatchCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._quotas = ByNamespace(cache.of("", "resourcequotas"))
        self._lines: dict[str, _Line] = {}

    def has_quotas(self, namespace: str) -> bool:
        """Whether a namespace has any quota."""
        return namespace in self._quotas

    async def charge(self, namespace: str, asked: Asked) -> None:
        """Charge a write to all quotas that speak of it. Raises Forbidden; Conflict after too many attempts."""
        line = self._lines.setdefault(namespace, _Line())
        line.waiting.append(asked)
        try:
            async with line.lock:
                if not asked.answered:
                    await self._settle_all(namespace, line)
        finally:
            if asked in line.waiting:
                line.waiting.remove(asked)
            if not line.waiting and not line.lock.locked() and self._lines.get(namespace) is line:
                del self._lines[namespace]
        if asked.refusal is not None:
            raise asked.refusal

    async def _settle_all(self, namespace: str, line: _Line) -> None:
        """Answer all who wait. Whom a failure leaves without an answer, goes on waiting."""
        batch, line.waiting = line.waiting, []
        try:
            await self._settle(namespace, batch)
        finally:
            line.waiting[:0] = [asked for asked in batch if not asked.answered]

    async def _settle(self, namespace: str, batch: Sequence[Asked]) -> None:
        names: Sequence[str] | None = None
        for _ in range(_ATTEMPTS):
            entries = [entry for entry in self._quotas.of(namespace) if names is None or entry.name in names]
            before = [entry.variant(Quota, _read) for entry in entries]
            after, batch = self._decide(before, batch)
            changed = [
                (entry, new) for entry, old, new in zip(entries, before, after, strict=True) if new.used != old.used
            ]
            names = [entry.name for entry, new in changed if not await self._write(entry, new)]
            if not names:
                break
        for asked in batch:
            asked.answer(errors.conflict("resourcequotas", "", names[0]) if names else None)

    def _decide(self, quotas: Sequence[Quota], batch: Sequence[Asked]) -> tuple[Sequence[Quota], Sequence[Asked]]:
        """What the quotas are to be, and who may be made once they are. All others are answered."""
        undecided = []
        now = self._clock.now()
        for asked in batch:
            evaluator = asked.evaluator
            try:
                after = admit(quotas, evaluator, asked.change, now, asked.limited)
            except QuotaError as error:
                asked.answer(errors.forbidden(evaluator.plural, evaluator.group, asked.name, str(error)))
                continue
            if asked.dry_run or after == quotas:
                asked.answer()
                continue
            quotas = after
            undecided.append(asked)
        return quotas, undecided

    async def _write(self, entry: Entry, quota: Quota) -> bool:
        """Write what is used; whether nobody else has written the quota meanwhile."""
        form: JsonObject = orjson.loads(entry.stored)
        form["status"]["used"] = {name: str(amount) for name, amount in sorted(quota.used.items())}
        value = orjson.dumps(form)
        try:
            with self._cache.expecting(entry.key, value, form):
                stored = await self._cache.store.update(entry.key, value, expected=entry.revision)
                await self._cache.reach(stored.revision)
        except Conflict as conflict:
            if conflict.current is None:
                await self._cache.reach_latest()
            else:
                await self._cache.reach(conflict.current.revision)
            return False
        return True


def _read(entry: Entry) -> Quota:
    return Quota.of(entry.decode())
