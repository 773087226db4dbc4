"""Writes and requests that admission is asked about, without a server."""

from typing import Any

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.admission.dynamic.request import Request
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer
from pilothouse.net.http import Request as HttpRequest
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore


def kinds(schemas: Schemas) -> Served:
    """The kinds that are built in, and nothing stored."""
    clock = LoopClock(0.0)
    return Served(builtin(), schemas, WatchCache(MemoryStore(clock), builtin(), clock))


def write(
    what: str,
    operation: str,
    new: dict[str, Any] | None = None,
    old: dict[str, Any] | None = None,
    *,
    name: str = "x",
    namespace: str = "default",
    query: str = "",
    user: User | None = None,
) -> Write:
    """A write of `group/version/plural` or `group/version/plural/part`, as the stages before admission leave it."""
    group, version, plural, *parts = what.split("/")
    resource = builtin().find(group, version, plural)
    assert resource is not None, what
    part = resource.subresource(parts[0]) if parts else None
    target = f"{resource.path(namespace, name, parts[0] if parts else '')}{query}"
    request = HttpRequest("POST", target, {}, Peer(""))
    exchange = Exchange(
        request, parse_request_info("POST", target), 0.0, user or User("jane", ("system:authenticated",))
    )
    within = namespace if resource.namespaced else ""
    return Write(exchange, resource, Operation(operation), within, name, new, old, part, dry_run="dryRun" in query)


def request(served: Served, *arguments: Any, **named: Any) -> Request:
    """The request that such a write is."""
    return Request(write(*arguments, **named), served)
