"""Pages: paths that are no objects. OpenAPI, discovery, version, health, metrics."""

import asyncio
from collections.abc import Mapping
from email.utils import formatdate

import orjson

from pilothouse.api.machinery.openapi import Documents
from pilothouse.api.machinery.openapi.gnostic import MEDIA_TYPE as GNOSTIC
from pilothouse.apiserver.discovery import Discovery
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.health import Health
from pilothouse.apiserver.routes import Page
from pilothouse.apiserver.verbs.forms import Form, in_preference
from pilothouse.apiserver.verbs.shape import respond
from pilothouse.apiserver.version import version_document
from pilothouse.net.http import Response
from pilothouse.runtime.metrics import Metrics

_V3 = "openapi/v3/"
_YEAR = 365 * 86400.0
_JSON = frozenset({"application/json"})
_MESSAGE = frozenset({GNOSTIC, GNOSTIC.replace(".v2.", ".v2@")})
"""The media type as it was meant, and as clients ask for it, which is none by the book."""


class Pages:
    """Every page by the first segment of its path."""

    def __init__(
        self,
        documents: Documents,
        discovery: Discovery,
        health: Health,
        metrics: Metrics,
        more: Mapping[str, tuple[str, bytes]],
    ) -> None:
        """`more` are pages that never change, by path: their media type and content."""
        self._fixed = more
        self._documents = documents
        self._discovery = discovery
        self._health = health
        self._metrics = metrics

    def by_root(self) -> Mapping[str, Page]:
        """What the routes need."""
        fixed = {path.strip("/").partition("/")[0]: self._unchanging for path in self._fixed}
        return fixed | {
            "": self._paths,
            "api": self._discover,
            "apis": self._discover,
            "version": self._version,
            "livez": self._healthy,
            "readyz": self._healthy,
            "healthz": self._healthy,
            "metrics": self._measured,
            "openapi": self._openapi,
        }

    async def _paths(self, exchange: Exchange, form: Form) -> Response:
        roots = sorted(f"/{root}" for root in self.by_root() if root)
        return respond(exchange, orjson.dumps({"paths": roots}), form)

    async def _discover(self, exchange: Exchange, form: Form) -> Response | None:
        return self._discovery.answer(exchange, form)

    async def _version(self, exchange: Exchange, form: Form) -> Response:
        return respond(exchange, orjson.dumps(version_document()), form)

    async def _healthy(self, exchange: Exchange, _form: Form) -> Response | None:
        return self._health.answer(exchange)

    async def _unchanging(self, exchange: Exchange, _form: Form) -> Response | None:
        found = self._fixed.get(exchange.info.path)
        if found is None:
            return None
        media_type, content = found
        return Response(200, content, {"Cache-Control": "public, max-age=3600"}, media_type)

    async def _measured(self, _exchange: Exchange, _form: Form) -> Response:
        return Response(200, self._metrics.page(), {}, "text/plain; version=0.0.4; charset=utf-8")

    async def _openapi(self, exchange: Exchange, _form: Form) -> Response | None:
        path = exchange.info.path.strip("/")
        if path == "openapi/v3":
            return Response(200, self._documents.index())
        if path == "openapi/v2":
            return await self._v2(exchange)
        if not path.startswith(_V3):
            return None
        at = path.removeprefix(_V3)
        try:
            current = self._documents.hash(at)
        except LookupError:
            return None
        tag, asked = f'"{current}"', exchange.info.value("hash")
        if asked not in ("", current):
            return Response(301, b"", {"Location": f"/{path}?hash={current}"}, "")
        headers = {"ETag": tag, "Vary": "Accept"}
        if asked:
            headers["Cache-Control"] = "public, immutable"
            headers["Expires"] = formatdate(exchange.received + _YEAR, usegmt=True)
        if not _takes(exchange.header("accept"), _JSON):
            return Response(406, b"", headers, "")
        if exchange.header("if-none-match") == tag:
            return Response(304, b"", headers)
        return Response(200, await asyncio.to_thread(self._documents.v3, at), headers)

    async def _v2(self, exchange: Exchange) -> Response:
        tag = f'"{self._documents.hash()}"'
        headers = {"ETag": tag, "Vary": "Accept"}
        form = _takes(exchange.header("accept"), _JSON | _MESSAGE)
        if not form:
            return Response(406, b"", headers, "")
        if exchange.header("if-none-match") == tag:
            return Response(304, b"", headers)
        if form in _MESSAGE:
            return Response(200, await asyncio.to_thread(self._documents.v2_protobuf), headers, GNOSTIC)
        return Response(200, await asyncio.to_thread(self._documents.v2), headers)


def _takes(accept: str, served: frozenset[str]) -> str:
    """The first media type in the order of preference that is served; empty where there is none."""
    for clause in in_preference(accept or "*/*"):
        named = clause.partition(";")[0].strip().lower()
        if named in served:
            return named
        if named in ("*/*", "application/*"):
            return "application/json"
    return ""
