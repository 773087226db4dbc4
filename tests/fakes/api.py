"""A small stand-in for the API server, for tests of what only needs its manners: one dict, one counter, watches."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from pilothouse.api.catalogue import Catalogue, builtin
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.patch.merge import apply_merge_patch
from pilothouse.api.machinery.patch.strategic import apply_strategic_patch
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.selectors import parse_field_selector, parse_label_selector
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.http import Request, Response
from pilothouse.runtime.clock import Clock, format_time

Object = dict[str, Any]
Place = tuple[str, str, str]


@cache
def _schemas() -> Schemas:
    return Schemas()


class FakeApi:
    """Serves the built-in kinds without defaulting or validation. `calls` lists what was asked."""

    def __init__(self, clock: Clock, catalogue: Catalogue | None = None) -> None:
        self.clock = clock
        self.catalogue = catalogue or builtin()
        self.revision = 100
        self.objects: dict[Place, Object] = {}
        self.calls: list[tuple[str, str]] = []
        self.fail: Callable[[str, str], errors.StatusError | None] = lambda _method, _path: None
        self.log: list[tuple[int, str, Resource[Any], Object]] = []
        self.oldest = 0
        self.changed = asyncio.Event()
        self._uid = 0
        self.cuts = 0

    async def handle(self, request: Request) -> Response:
        path = urlsplit(request.target).path
        if "watch=true" not in request.target:
            self.calls.append((request.method, request.target))
        await asyncio.sleep(0)  # noqa: TID251 - let others run, as a real server would
        try:
            wrong = self.fail(request.method, path)
            if wrong is not None:
                raise wrong
            return await self._serve(request)
        except errors.StatusError as error:
            return Response(error.code, orjson.dumps(error.status()))

    def client(self, user: str = "test") -> Client:
        """A client in this process."""
        return Client(HandlerTransport(self.handle, user), self.catalogue, self.clock, agent=user, memo=Memo())

    def cut(self) -> None:
        """End every watch."""
        self.cuts += 1
        self._wake()

    def forget(self) -> None:
        """Compact the history."""
        self.oldest = self.revision
        self.log.clear()

    def add(self, api_version: str, kind: str, obj: Object) -> Object:
        """Put an object there."""
        group, _, version = api_version.rpartition("/")
        resource = self.catalogue.by_kind(group, version, kind)
        assert resource is not None
        return self._create(resource, obj.get("metadata", {}).get("namespace", ""), {
            "apiVersion": api_version, "kind": kind, **obj})  # fmt: skip

    def put(self, plural: str, namespace: str, name: str, change: Object) -> Object:
        """Merge a change into an object, as some other writer would."""
        obj = self.objects[plural, namespace, name]
        resource = self._resource_of(obj)
        return self._store(resource, (plural, namespace, name), apply_merge_patch(obj, change), "MODIFIED")

    def get(self, plural: str, namespace: str, name: str) -> Object:
        return self.objects[plural, namespace, name]

    def of(self, plural: str, namespace: str = "") -> list[Object]:
        return [o for (p, n, _), o in self.objects.items() if p == plural and (not namespace or n == namespace)]

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Take an object away, whatever its finalizers."""
        place = (plural, namespace, name)
        obj = self.objects.pop(place)
        self._publish("DELETED", self._resource_of(obj), {**obj, "metadata": {**obj["metadata"]}})

    def _resource_of(self, obj: Object) -> Resource[Any]:
        group, _, version = obj["apiVersion"].rpartition("/")
        resource = self.catalogue.by_kind(group, version, obj["kind"])
        assert resource is not None
        return resource

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def _serve(self, request: Request) -> Response:
        url = urlsplit(request.target)
        query = dict(parse_qsl(url.query))
        resource, namespace, name, subresource = self._parse(url.path)
        sent = await request.read(10_000_000)
        body: Any = orjson.loads(sent) if sent else {}
        place = (resource.plural, namespace, name)
        match request.method:
            case "GET" if name:
                return _json(self._existing(resource, place))
            case "GET" if query.get("watch"):
                return self._watch(resource, namespace, query)
            case "GET":
                return _json(self._list(resource, namespace, query))
            case "POST" if subresource:
                return _json(self._post(resource, place, subresource, body), 201)
            case "POST":
                return _json(self._create(resource, namespace, body), 201)
            case "PUT":
                return _json(self._update(resource, place, subresource, body))
            case "PATCH":
                patched = self._patched(resource, self._existing(resource, place), body, request)
                wanted = (body.get("metadata") or {}).get("uid")
                if wanted and wanted != self._existing(resource, place)["metadata"]["uid"]:
                    raise errors.conflict(resource.plural, resource.group, name)
                return _json(self._update(resource, place, subresource, patched))
            case "DELETE" if name:
                return _json(self._delete(resource, place, body))
            case "DELETE":
                for item in self._list(resource, namespace, query)["items"]:
                    self._delete(resource, (resource.plural, namespace, item["metadata"]["name"]), body)
                return _json({"kind": "Status", "status": "Success"})
        raise errors.BadRequest("no such verb")

    def _patched(self, resource: Resource[Any], old: Object, patch: Any, request: Request) -> Object:
        if request.headers["content-type"] == PatchForm.STRATEGIC.value:
            return apply_strategic_patch(old, patch, _schemas().kind(resource.group, resource.version, resource.name))
        return apply_merge_patch(old, patch)

    def _parse(self, path: str) -> tuple[Resource[Any], str, str, str]:
        parts = path.strip("/").split("/")
        group, rest = ("", parts[1:]) if parts[0] == "api" else (parts[1], parts[2:])
        version, rest = rest[0], rest[1:]
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        resource = self.catalogue.find(group, version, rest[0])
        if resource is None:
            raise errors.NotFound("the server could not find the requested resource")
        rest += ["", ""]
        return resource, namespace, rest[1], rest[2]

    def _existing(self, resource: Resource[Any], place: Place) -> Object:
        if place not in self.objects:
            raise errors.not_found(resource.plural, resource.group, place[2])
        return self.objects[place]

    def _list(self, resource: Resource[Any], namespace: str, query: dict[str, str]) -> Object:
        items = [o for o in self.of(resource.plural, namespace) if _selected(resource, o, query)]
        return {"kind": resource.list_kind, "metadata": {"resourceVersion": str(self.revision)}, "items": items}

    def _create(self, resource: Resource[Any], namespace: str, body: Object) -> Object:
        meta = dict(body.get("metadata") or {})
        self._uid += 1
        if not meta.get("name"):
            meta["name"] = f"{meta['generateName']}{self._uid:05d}"
        place = (resource.plural, namespace, meta["name"])
        if place in self.objects:
            raise errors.already_exists(resource.plural, resource.group, meta["name"])
        meta.setdefault("uid", f"uid-{self._uid}")
        meta.setdefault("creationTimestamp", format_time(self.clock.now()))
        meta.setdefault("generation", 1)
        if resource.namespaced:
            meta["namespace"] = namespace
        return self._store(resource, place, {**body, "metadata": meta}, "ADDED")

    def _post(self, resource: Resource[Any], place: Place, subresource: str, body: Object) -> Object:
        if subresource == "eviction":
            self._delete(resource, place, {})
        return {"kind": "Status", "status": "Success"}

    def _update(self, resource: Resource[Any], place: Place, subresource: str, body: Object) -> Object:
        old = self._existing(resource, place)
        sent = body["metadata"].get("resourceVersion")
        if sent and sent != old["metadata"]["resourceVersion"]:
            raise errors.conflict(resource.plural, resource.group, place[2])
        if subresource == "status":
            kept = {name: body["metadata"][name] for name in ("annotations",) if name in body["metadata"]}
            body = {**old, "metadata": {**old["metadata"], **kept}, "status": body.get("status", {})}
        elif subresource != "finalize":
            body = {**body, **({"status": old["status"]} if "status" in old else {})}
            if body.get("spec") != old.get("spec"):
                generation = (old["metadata"].get("generation") or 1) + 1
                body = {**body, "metadata": {**body["metadata"], "generation": generation}}
        meta = body["metadata"]
        if (
            meta.get("deletionTimestamp")
            and not meta.get("finalizers")
            and not (body.get("spec") or {}).get("finalizers")
        ):
            if resource.plural == "pods":
                return self._store(resource, place, body, "MODIFIED")
            self.remove(*place)
            return body
        if body == old:
            return old
        return self._store(resource, place, body, "MODIFIED")

    def _delete(self, resource: Resource[Any], place: Place, options: Object) -> Object:
        old = self._existing(resource, place)
        wanted = options.get("preconditions") or {}
        for field, value in wanted.items():
            if old["metadata"][field] != value:
                raise errors.conflict(resource.plural, resource.group, place[2], "Precondition failed")
        finalizers = list(old["metadata"].get("finalizers") or ())
        policy = options.get("propagationPolicy")
        added = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(policy or "")
        if added and added not in finalizers:
            finalizers.append(added)
        graceful = resource.plural == "pods" and (old.get("spec") or {}).get("nodeName")
        graceful = graceful and options.get("gracePeriodSeconds") != 0
        if finalizers or graceful or (old.get("spec") or {}).get("finalizers"):
            stamp = old["metadata"].get("deletionTimestamp") or format_time(self.clock.now())
            meta = {**old["metadata"], "deletionTimestamp": stamp}
            if finalizers:
                meta["finalizers"] = finalizers
            return self._store(resource, place, {**old, "metadata": meta}, "MODIFIED")
        self.remove(*place)
        return old

    def _store(self, resource: Resource[Any], place: Place, obj: Object, event: str) -> Object:
        stored = {**obj, "apiVersion": resource.api_version, "kind": resource.name}
        stored["metadata"] = {**obj["metadata"], "resourceVersion": str(self.revision + 1)}
        self.objects[place] = stored
        self._publish(event, resource, stored)
        return stored

    def _publish(self, event: str, resource: Resource[Any], obj: Object) -> None:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self.log.append((self.revision, event, resource, orjson.loads(orjson.dumps(obj))))
        self._wake()

    def _watch(self, resource: Resource[Any], namespace: str, query: dict[str, str]) -> Response:
        after = int(query.get("resourceVersion") or 0)
        if after < self.oldest:
            raise errors.Expired(f"too old resource version: {after} ({self.oldest})")
        return Response(200, self._stream(resource, namespace, query, after))

    async def _stream(
        self, resource: Resource[Any], namespace: str, query: dict[str, str], after: int
    ) -> AsyncIterator[bytes]:
        cuts = self.cuts
        while self.cuts == cuts:
            changed = self.changed
            for revision, event, kind, obj in list(self.log):
                if revision <= after:
                    continue
                after = revision
                here = not namespace or obj["metadata"].get("namespace") == namespace
                if kind is resource and here and _selected(resource, obj, query):
                    yield orjson.dumps({"type": event, "object": obj}) + b"\n"
            await changed.wait()


def _selected(resource: Resource[Any], obj: Object, query: dict[str, str]) -> bool:
    if not parse_label_selector(query.get("labelSelector", "")).matches(obj["metadata"].get("labels") or {}):
        return False
    fields = {name: read(obj) for name, read in resource.selectable_fields.items()}
    fields |= {"metadata.name": obj["metadata"]["name"], "metadata.namespace": obj["metadata"].get("namespace", "")}
    return parse_field_selector(query.get("fieldSelector", "")).matches(fields)


def _json(obj: Object, status: int = 200) -> Response:
    return Response(status, orjson.dumps(obj))
