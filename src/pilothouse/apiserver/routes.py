"""Routes: from a request's path and verb to who answers it.

Objects go by the catalogue: any kind in it is served, with the verbs and subresources that it names. Other paths are
few and listed here.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pilothouse.api.machinery.codec.protobuf import message_of
from pilothouse.api.machinery.errors import MethodNotAllowed, NotAcceptable
from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.deadline import is_lasting
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.verbs.change import Changing
from pilothouse.apiserver.verbs.forms import JSON, PROTOBUF, YAML, Form, negotiate
from pilothouse.apiserver.verbs.read import Reader
from pilothouse.apiserver.verbs.watch import Watching
from pilothouse.net.http import Response

Part = Callable[[Exchange, Resource[Any], Subresource, Form], Awaitable[Response]]
"""Answers one verb of one subresource."""
Review = Callable[[Exchange, Resource[Any], Form], Awaitable[Response]]
"""Answers for a kind that is never stored: POST to a question, GET of what is computed."""
Page = Callable[[Exchange, Form], Awaitable[Response | None]]
"""Answers a path that is no object's; None where there is nothing."""

_SHOWN = frozenset({"status", "ephemeralcontainers", "resize", "approval", "finalize"})
"""Subresources that are the object itself, of which a write changes a part."""


class Routes:
    """The last of the chain."""

    def __init__(
        self,
        served: Served,
        reader: Reader,
        watching: Watching,
        changing: Changing,
        *,
        parts: Mapping[tuple[str, str], Part],
        reviews: Mapping[tuple[str, str], Review],
        pages: Mapping[str, Page],
    ) -> None:
        self._served = served
        self._reader = reader
        self._watching = watching
        self._changing = changing
        self._parts = parts
        """By subresource and verb; `("pods/exec", "get")` goes before `("exec", "get")`."""
        self._reviews = reviews
        """By group and plural."""
        self._pages = pages
        """By the first segment of the path."""

    async def answer(self, exchange: Exchange) -> Response:
        """Answer a request that is authenticated and authorized."""
        info = exchange.info
        if not info.is_resource:
            return await self._page(exchange)
        resource = self._served.catalogue.find(info.group, info.version, info.resource)
        if resource is None or (info.namespace and not resource.namespaced and info.resource != "namespaces"):
            return _not_found()
        if resource.deprecated:
            exchange.warnings.append(resource.deprecated)
        if info.subresource:
            part = resource.subresource(info.subresource)
            if part is None:
                return _not_found()
            if info.verb not in part.verbs and (part.name, info.method) != ("proxy", "OPTIONS"):
                raise _not_allowed()
            return await self._part(exchange, resource, part)
        if info.verb not in resource.verbs or not _fits(resource, info):
            raise _not_allowed()
        return await self._object(exchange, resource)

    async def _object(self, exchange: Exchange, resource: Resource[Any]) -> Response:
        verb, accept = exchange.info.verb, exchange.header("accept")
        review = self._reviews.get((resource.group, resource.plural))
        if review is not None:
            question = verb == "create"
            form = negotiate(accept, tables=False) if question else _form_of(exchange, resource)
            return await review(exchange, resource, form)
        form = _form_of(exchange, resource)
        match verb:
            case "get":
                return await self._reader.get(exchange, resource, form)
            case "list":
                return await self._reader.list(exchange, resource, form)
            case "watch":
                return await self._watching.watch(exchange, resource, form)
            case "create":
                return await self._changing.create(exchange, resource, form)
            case "update":
                return await self._changing.update(exchange, resource, form)
            case "patch":
                return await self._changing.patch(exchange, resource, form)
            case "delete":
                return await self._changing.delete(exchange, resource, form)
            case "deletecollection":
                return await self._changing.delete_collection(exchange, resource, form)
        raise _not_allowed()

    async def _part(self, exchange: Exchange, resource: Resource[Any], part: Subresource) -> Response:
        verb = exchange.info.verb
        found = self._parts.get((f"{resource.plural}/{part.name}", verb)) or self._parts.get((part.name, verb))
        if found is not None:
            return await found(exchange, resource, part, _form(exchange))
        if part.name in _SHOWN:
            form = _form_of(exchange, resource)
            match verb:
                case "get":
                    return await self._reader.get(exchange, resource, form)
                case "update":
                    return await self._changing.update(exchange, resource, form, part)
                case "patch":
                    return await self._changing.patch(exchange, resource, form, part)
        raise _not_allowed()

    async def _page(self, exchange: Exchange) -> Response:
        root = exchange.info.path.strip("/").partition("/")[0]
        page = self._pages.get(root)
        if page is None:
            return _not_found()
        try:
            form = negotiate(exchange.header("accept"), tables=False, discovery=True)
        except NotAcceptable:
            if root in ("api", "apis"):
                raise
            form = Form()  # these documents have media types of their own
        return await page(exchange, form) or _not_found()


def _form_of(exchange: Exchange, resource: Resource[Any]) -> Form:
    """Kinds that have no message are not offered in protobuf. Raises NotAcceptable."""
    accept = exchange.header("accept")
    if "protobuf" in accept and not message_of(resource.api_version, resource.name):
        return negotiate(accept, (JSON, YAML))
    if exchange.info.verb == "watch" and negotiate(accept).media_type == YAML:
        raise NotAcceptable(f"only the following media types are accepted: {JSON}, {PROTOBUF}")
    return negotiate(accept)


def _form(exchange: Exchange) -> Form:
    """Streams and logs are answered in whatever form they have."""
    if is_lasting(exchange.info):
        return Form()
    return negotiate(exchange.header("accept"))


def _fits(resource: Resource[Any], info: RequestInfo) -> bool:
    """Whether the path is such as the verb is for: a collection, or one object; both where they are.

    That is no mere form: a role may allow to create what has a certain name, and the body could have another.
    """
    if info.verb in ("list", "watch"):
        return info.method in ("GET", "HEAD")
    if resource.namespaced and not info.namespace:
        return False
    return bool(info.name) == (info.verb not in ("create", "deletecollection"))


def _not_found() -> Response:
    return Response(404, b"404 page not found\n", {}, "text/plain; charset=utf-8")


def _not_allowed() -> MethodNotAllowed:
    return MethodNotAllowed("the server does not allow this method on the requested resource", details={})
