"""get and list: entries of the watch cache, as fresh as the client asks.

Without a resourceVersion an answer shows every write acknowledged before it; `0` takes what is there; a number waits
for at least that. A list cut by `limit` goes on from its continue token at the same revision: from the cache while
the kind has not changed since, else from the store's history. Once that is gone, the refusal carries a token that goes
on with what is there now. Source: API concepts, "Resource versions"; apiserver/pkg/storage (continue.go).
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from posixpath import normpath
from typing import Any

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.errors import BadRequest, Expired
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.whole_numbers import UINT64, parse_int
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.selection import Selection, selection_of
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.verbs.forms import Form
from pilothouse.apiserver.verbs.shape import Shaper
from pilothouse.net.http import Response
from pilothouse.store.interface import Compacted

_META = "meta.k8s.io/v1"
_LATEST = -1
"""The revision of a token that goes on with what is there now."""
_NOTHING = "\0"
"""Begins no key."""
_TOO_OLD = "The resourceVersion for the provided list is too old."
_INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
EXACT, NOT_OLDER = "Exact", "NotOlderThan"


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a list begins and ends. `revision` is None for the latest."""

    limit: int = 0
    start: str = ""
    revision: int | None = None


class Reader:
    """Answers get and list."""

    def __init__(self, served: Served, shaper: Shaper) -> None:
        self._served = served
        self._shape = shaper

    async def get(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """One object. Raises NotFound."""
        info = exchange.info
        await self.fresh(info.value("resourceVersion"))
        entry = self._served.cache_of(resource).get(info.namespace, info.name)
        if entry is None:
            raise errors.not_found(resource.plural, resource.group, info.name)
        return self._shape.one(exchange, resource, entry, form)

    async def list(self, exchange: Exchange, resource: Resource[Any], form: Form) -> Response:
        """The objects of a namespace, or of all, that the selectors want."""
        info = exchange.info
        cache = self._served.cache_of(resource)
        selection = selection_of(info, resource)
        page = _page_of(info, cache.prefix)
        if page.revision is None:
            await self.fresh("" if page.start else info.value("resourceVersion"))
            revision = self._served.cache.revision
        else:
            await self._served.cache.reach(page.revision)
            revision = page.revision
        found = await self._found(resource, page, selection)
        entries = list(islice(found, page.limit + 1)) if page.limit else list(found)
        metadata: dict[str, Any] = {"resourceVersion": str(revision)}
        if page.limit and len(entries) > page.limit:
            following = entries.pop()
            metadata["continue"] = _token(revision, following.key.removeprefix(cache.prefix))
            if selection.everything:
                metadata["remainingItemCount"] = 1 + sum(1 for _ in found)
        return self._shape.list(exchange, resource, entries, metadata, form)

    async def fresh(self, text: str) -> None:
        """Wait until the cache is as fresh as `resourceVersion` asks. Raises Invalid, Timeout."""
        if not text:
            await self._served.cache.reach_latest()
        elif text != "0":
            await self._served.cache.reach(parse_revision(text))

    async def _found(self, resource: Resource[Any], page: _Page, selection: Selection) -> Iterator[Entry]:
        """Entries as they are, or as they were at the page's revision. Raises Expired when that is forgotten."""
        cache = self._served.cache_of(resource)
        if page.revision is None:
            return selection.among(cache, page.start)
        unchanged = cache.last_change <= page.revision
        # What has not changed since is forgotten all the same, as etcd forgets it.
        below = f"{cache.prefix}{_NOTHING}" if unchanged else cache.prefix
        start = "" if unchanged else page.start
        try:
            listing = await self._served.cache.store.list(below, start=start, revision=page.revision)
        except Compacted:
            if not page.start:
                raise Expired(_TOO_OLD) from None
            onward = _token(_LATEST, page.start.removeprefix(cache.prefix))
            raise Expired(_INCONSISTENT, continue_token=onward) from None
        if unchanged:
            return selection.among(cache, page.start)
        entries = (cache.unstored(record, orjson.loads(record.value)) for record in listing.records)
        return (entry for entry in entries if selection.matches(entry))


def parse_revision(text: str) -> int:
    """A resourceVersion. Raises Invalid as upstream words it."""
    try:
        return parse_int(text, function="ParseUint", within=UINT64)
    except ValueError as error:
        wrong = FieldErrors()
        wrong.invalid("resourceVersion", text, str(error))
        raise errors.invalid("", "", "", wrong) from None


def _page_of(info: RequestInfo, prefix: str) -> _Page:
    limit = _limit(info.value("limit"))
    token, revision, match = info.value("continue"), info.value("resourceVersion"), info.value("resourceVersionMatch")
    _check_match(match, revision, token)
    if token:
        if revision not in ("", "0"):
            raise BadRequest("specifying resource version is not allowed when using continue")
        at, start = _read_token(token)
        return _Page(limit, prefix + start, at if at > 0 else None)
    exact = match == EXACT or (limit and revision not in ("", "0") and not match)
    return _Page(limit, "", parse_revision(revision) if exact else None)


def _check_match(match: str, revision: str, token: str) -> None:
    wrong = FieldErrors()
    if match and token:
        wrong.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
    elif match and not revision:
        wrong.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
    elif match and match not in (EXACT, NOT_OLDER):
        wrong.not_supported("resourceVersionMatch", match, (EXACT, NOT_OLDER, ""))
    elif match == EXACT and revision == "0":
        wrong.forbidden("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if wrong:
        raise errors.invalid("ListOptions", "meta.k8s.io", "", wrong)


def _limit(text: str) -> int:
    try:
        return max(parse_int(text), 0) if text else 0
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _token(revision: int, start: str) -> str:
    encoded = orjson.dumps({"v": _META, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(encoded).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str]:
    """The revision of a token, below 0 for the latest, and the key it goes on from. Raises BadRequest."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, revision, start = (found.get(name) for name in ("v", "rv", "start"))
    except (ValueError, AttributeError):
        raise _bad_token("") from None
    if version != _META:
        raise _bad_token(f": server does not recognize this encoded version {version or ''}")
    if not isinstance(revision, int) or not revision:
        raise _bad_token(f": incorrect encoded start resourceVersion (version {_META})")
    if not start:
        raise _bad_token(f": encoded start key empty (version {_META})")
    if not isinstance(start, str) or normpath(f"/{start}") != f"/{start}":
        raise _bad_token(f": {start}")
    return revision, start


def _bad_token(why: str) -> BadRequest:
    return BadRequest(f"invalid continue token: continue key is not valid{why}")
