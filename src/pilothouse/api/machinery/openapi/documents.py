"""The documents of one server, each built when it is first asked for.

The index names the documents with hashes, so that clients keep them for ever: the hash is made of what a document is
built from (API level, kinds, verbs, subresources), which spares building them all to tell whether one has changed.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha512
from typing import Any

import orjson

from pilothouse.api.machinery.openapi import gnostic, v2, v3
from pilothouse.api.machinery.openapi.operations import Operation, operations, version_operation
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.schema.load import LEVEL

GroupVersion = tuple[str, str]
_FORMAT = "1"
"""Counts up when the documents change though API level and kinds do not."""


class Documents:
    """OpenAPI of the resources given. Building one takes 5 to 60 ms, the v2 document some 300: do it in a thread."""

    def __init__(self, schemas: Schemas, resources: Iterable[Resource[Any]], version: str) -> None:
        self._schemas = schemas
        self._version = version
        self._by_path: dict[str, list[Resource[Any]]] = {}
        for resource in resources:
            self._by_path.setdefault(resource.api_path.removeprefix("/"), []).append(resource)
        self._built: dict[str, bytes] = {}

    def index(self) -> bytes:
        """The answer to /openapi/v3: where each group and version has its document."""
        paths = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={self.hash(path)}"} for path in sorted(self._by_path)
        }
        return orjson.dumps({"paths": paths})

    def hash(self, path: str = "") -> str:
        """What changes whenever the document of `path` changes; without a path, of the v2 document.

        Raises LookupError where there is none.
        """
        if path and path not in self._by_path:
            raise LookupError(f"no OpenAPI document for {path}")
        kinds = [
            (r.api_path, r.plural, r.name, r.namespaced, r.verbs, [(s.name, s.kind, s.verbs) for s in r.subresources])
            for at, resources in sorted(self._by_path.items())
            if path in ("", at)
            for r in resources
        ]
        return sha512(orjson.dumps([_FORMAT, LEVEL, "" if path else self._version, kinds])).hexdigest().upper()

    def v3(self, path: str) -> bytes:
        """The document of `apis/apps/v1` or `api/v1`. Raises LookupError where there is none."""
        if path not in self._by_path:
            raise LookupError(f"no OpenAPI document for {path}")
        if path not in self._built:
            self._built[path] = orjson.dumps(v3.document(self._operations(path), self._schemas))
        return self._built[path]

    def v2(self) -> bytes:
        """The answer to /openapi/v2 as JSON."""
        if "v2" not in self._built:
            self._built["v2"] = orjson.dumps(self._v2_document())
        return self._built["v2"]

    def v2_protobuf(self) -> bytes:
        """The answer to /openapi/v2 in the media type `gnostic.MEDIA_TYPE`."""
        if "pb" not in self._built:
            self._built["pb"] = gnostic.encode(self._v2_document())
        return self._built["pb"]

    def _v2_document(self) -> dict[str, Any]:
        every = (operation for path in sorted(self._by_path) for operation in self._operations(path))
        return v2.document(every, self._schemas, self._version)

    def _operations(self, path: str) -> Iterator[Operation]:
        resources = self._by_path[path]
        yield version_operation(resources[0].group, resources[0].version)
        for resource in resources:
            yield from operations(resource, self._schemas)
