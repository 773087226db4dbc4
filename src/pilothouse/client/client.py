"""Client: the API's verbs, typed by the view class of the kind.

    pod = await client.get(Pod, "web-1", "default")
    await client.patch(Pod, "web-1", "default", {"metadata": {"labels": {"seen": "yes"}}})

Read through views, write literals. Errors are those of `api.machinery.errors`, rebuilt from the server's Status.
A kind may also be given as its Resource, for callers that meet kinds by discovery. Source: API concepts page.
"""

import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import orjson

from pilothouse.api.catalogue import Catalogue
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.client.memo import Memo
from pilothouse.client.transport import Answer, Transport
from pilothouse.runtime.clock import Clock

V = TypeVar("V", bound=View)
Kind = type[V] | Resource[V]
_RETRIES = 10
"""How often an answer with Retry-After is followed, as client-go does."""
_CHANGES = {b'{"type":"%s"' % name.encode(): name for name in ("ADDED", "MODIFIED", "DELETED")}
"""How the line of a change begins, and its type."""
_APPLY = "application/apply-patch+yaml"
_METADATA = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1,application/json"


class PatchForm(enum.Enum):
    """How a patch is written; the value is its media type."""

    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    JSON = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Page(Generic[V]):
    """A list, or the part of it that a limit allowed."""

    items: tuple[V, ...]
    resource_version: str
    continue_token: str = ""


class WatchEvent(NamedTuple, Generic[V]):
    """One change. `type` is ADDED, MODIFIED, DELETED or BOOKMARK; a bookmark's object has a resourceVersion only."""

    type: str
    object: V


class Client:
    """Speaks to one API server with one identity. `agent` names the component, also as field manager."""

    def __init__(
        self, transport: Transport, catalogue: Catalogue, clock: Clock, *, agent: str = "pilothouse", memo: Memo
    ) -> None:
        self.catalogue = catalogue
        self._transport = transport
        self._clock = clock
        self.memo = memo
        self._headers = {"accept": "application/json", "user-agent": agent}
        self._list_headers = self._headers

    def metadata_only(self) -> "Client":
        """The same client, to whom only the metadata of objects is sent. For kinds whose view class shows no more."""
        agent = self._headers["user-agent"]
        client = Client(self._transport, self.catalogue, self._clock, agent=agent, memo=Memo())
        client._headers = {"accept": _METADATA.format(""), "user-agent": agent}
        client._list_headers = {"accept": _METADATA.format("List"), "user-agent": agent}
        return client

    def resource(self, kind: Kind[V]) -> Resource[V]:
        """The resource of a view class."""
        return kind if isinstance(kind, Resource) else self.catalogue.of(kind)

    async def get(self, kind: Kind[V], name: str, namespace: str = "", *, resource_version: str = "") -> V:
        """Read one object. Raises NotFound."""
        resource = self.resource(kind)
        target = _target(resource.path(namespace, _named(name)), resourceVersion=resource_version)
        return self._view(resource, await self._ask("GET", target))

    async def list(
        self,
        kind: Kind[V],
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
    ) -> Page[V]:
        """Read all objects of a namespace, or of all."""
        resource = self.resource(kind)
        target = _target(
            resource.path(namespace),
            labelSelector=labels,
            fieldSelector=fields,
            limit=str(limit) if limit else "",
            resourceVersion=resource_version,
            **{"continue": continue_token},
        )
        found = orjson.loads(await self._ask("GET", target, headers=self._list_headers))
        meta = found.get("metadata") or {}
        items = tuple([self.memo.view(resource, item) for item in found.get("items") or ()])
        return Page(items, meta.get("resourceVersion") or "", meta.get("continue") or "")

    async def create(
        self, kind: Kind[V], manifest: JsonObject, namespace: str = "", *, name: str = "", subresource: str = ""
    ) -> V:
        """POST an object, or with `name` and `subresource` what that takes. Raises AlreadyExists."""
        resource = self.resource(kind)
        if not subresource:
            manifest = {"apiVersion": resource.api_version, "kind": resource.name, **manifest}
        namespace = namespace or (manifest.get("metadata") or {}).get("namespace") or ""
        body = await self._ask("POST", resource.path(namespace, quote(name), subresource), manifest)
        return resource.kind(orjson.loads(body)) if subresource else self._view(resource, body)

    async def update(self, kind: Kind[V], manifest: JsonObject, *, subresource: str = "") -> V:
        """PUT an object. Raises Conflict when it has changed since the manifest's resourceVersion."""
        resource = self.resource(kind)
        meta = manifest["metadata"]
        manifest = {"apiVersion": resource.api_version, "kind": resource.name, **manifest}
        path = resource.path(meta.get("namespace") or "", _named(meta["name"]), subresource)
        return self._view(resource, await self._ask("PUT", path, manifest))

    async def patch(
        self,
        kind: Kind[V],
        name: str,
        namespace: str,
        patch: JsonObject | Sequence[JsonObject],
        *,
        subresource: str = "",
        form: PatchForm = PatchForm.MERGE,
    ) -> V:
        """Change what the patch says. Raises Conflict when it names another resourceVersion or uid."""
        resource = self.resource(kind)
        path = resource.path(namespace, _named(name), subresource)
        return self._view(resource, await self._ask("PATCH", path, patch, form.value))

    async def apply(
        self, kind: Kind[V], manifest: JsonObject, *, manager: str = "", force: bool = False, subresource: str = ""
    ) -> V:
        """Have what the manifest says, and no more than it said last time. Raises Conflict where others have set it.

        Creates what is not there. `manager` is whose the fields are, without it the client's; `force` takes them over.
        """
        resource = self.resource(kind)
        meta = manifest["metadata"]
        manifest = {"apiVersion": resource.api_version, "kind": resource.name, **manifest}
        target = _target(
            resource.path(meta.get("namespace") or "", _named(meta["name"]), subresource),
            fieldManager=manager or self._headers["user-agent"],
            force="true" if force else "",
        )
        return self._view(resource, await self._ask("PATCH", target, manifest, _APPLY))

    async def delete(
        self,
        kind: Kind[V],
        name: str,
        namespace: str = "",
        *,
        grace_period: int | None = None,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "",
    ) -> None:
        """Delete one object. `uid` and `resource_version` are preconditions, answered by Conflict."""
        options = _delete_options(grace_period, uid, resource_version, propagation)
        await self._ask("DELETE", self.resource(kind).path(namespace, _named(name)), options)

    async def delete_collection(
        self, kind: Kind[V], namespace: str = "", *, labels: str = "", fields: str = "", propagation: str = ""
    ) -> None:
        """Delete what a list with these selectors shows."""
        target = _target(self.resource(kind).path(namespace), labelSelector=labels, fieldSelector=fields)
        await self._ask("DELETE", target, _delete_options(None, "", "", propagation))

    def watch(
        self,
        kind: Kind[V],
        namespace: str = "",
        *,
        resource_version: str = "",
        labels: str = "",
        fields: str = "",
        bookmarks: bool = True,
        timeout_seconds: int = 0,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent[V]]]:
        """Changes after `resource_version`, until the server ends the stream. Raises Expired when that is too old."""
        resource = self.resource(kind)
        target = _target(
            resource.path(namespace),
            watch="true",
            resourceVersion=resource_version,
            labelSelector=labels,
            fieldSelector=fields,
            allowWatchBookmarks="true" if bookmarks else "",
            timeoutSeconds=str(timeout_seconds) if timeout_seconds else "",
        )
        return self._watch(resource, target)

    async def read(self, path: str) -> Any:
        """GET a path that is no object: discovery, say. Returns the decoded JSON."""
        return orjson.loads(await self._ask("GET", path))

    async def read_newer(self, path: str, *, accept: str, etag: str = "") -> tuple[Any, str] | None:
        """GET a path in the form `accept`, unless it is what `etag` names still. The decoded JSON and its ETag."""
        headers = {**self._headers, "accept": accept, **({"if-none-match": etag} if etag else {})}
        answer = await self._transport.send("GET", path, headers)
        if answer.status == 304:
            return None
        if answer.status >= 300:
            raise _error(answer.status, answer.body)
        return orjson.loads(answer.body), answer.headers.get("etag", "")

    async def write(self, method: str, path: str, body: JsonObject) -> Any:
        """Send JSON to a path that no kind has. Returns the decoded answer."""
        return orjson.loads(await self._ask(method, path, body))

    @asynccontextmanager
    async def _watch(self, resource: Resource[V], target: str) -> AsyncIterator[AsyncIterator[WatchEvent[V]]]:
        async with self._transport.stream("GET", target, self._headers) as answer:
            if answer.status != 200:
                raise _error(answer.status, await answer.read())
            events = self._events(resource, answer.body)
            try:
                yield events
            finally:
                await events.aclose()

    async def _events(self, resource: Resource[V], pieces: AsyncIterator[bytes]) -> Any:
        rest = b""
        async for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line:
                    yield self._event(resource, line)

    def _event(self, resource: Resource[V], line: bytes) -> WatchEvent[V]:
        """A line of a watch. An object that comes as servers write it is not decoded where it is known by its bytes."""
        head, _, rest = line.partition(b',"object":')
        if kind := _CHANGES.get(head):
            return WatchEvent(kind, self.memo.read(resource, rest[:-1]))
        event = orjson.loads(line)
        if event["type"] == "ERROR":
            raise errors.from_status(event["object"])
        return WatchEvent(event["type"], self.memo.view(resource, event["object"]))

    def _view(self, resource: Resource[V], body: bytes) -> V:
        return self.memo.read(resource, body)

    async def _ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        headers = headers or self._headers
        data = b""
        if body is not None:
            data = orjson.dumps(body)
            headers = {**headers, "content-type": content_type}
        for _ in range(_RETRIES):
            answer = await self._transport.send(method, target, headers, data)
            if answer.status < 300:
                return answer.body
            wait = _retry_after(answer)
            if wait is None:
                break
            await self._clock.sleep(wait)
        raise _error(answer.status, answer.body)


def _retry_after(answer: Answer) -> float | None:
    """Seconds to wait before the same request may succeed, where the server says so."""
    text = answer.headers.get("retry-after", "")
    if answer.status != 429 and answer.status < 500:
        return None
    return float(text) if text.isdigit() else None


def _error(status: int, body: bytes) -> errors.StatusError:
    """The error in a body, which is a Status unless something between us and the server answered."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or found.get("kind") != "Status":
        text = body[:2048].decode("utf-8", "replace").strip()
        found = {"code": status, "message": text or f"the server answered {status}"}
    return errors.from_status(found)


def _named(name: str) -> str:
    """A name as it stands in a path. An empty one would address the collection."""
    if not name:
        raise ValueError("resource name may not be empty")
    return quote(name)


def _target(path: str, **query: str) -> str:
    present = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(present)}" if present else path


def _delete_options(grace_period: int | None, uid: str, resource_version: str, propagation: str) -> JsonObject:
    options: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if grace_period is not None:
        options["gracePeriodSeconds"] = grace_period
    conditions = {"uid": uid, "resourceVersion": resource_version}
    if preconditions := {name: value for name, value in conditions.items() if value}:
        options["preconditions"] = preconditions
    if propagation:
        options["propagationPolicy"] = propagation
    return options
