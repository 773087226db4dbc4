"""Discovery: which kinds a server has, asked for anew as often as one likes.

The aggregated documents (KEP-3352) say all in two answers, and an ETag makes the next question cheap: nothing is sent
where nothing has changed. What an aggregated API server behind it cannot answer for is marked Stale; we go on with
what it said before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.meta_v1 import ObjectMeta
from pilothouse.client.client import Client

_ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_ROOTS = ("/api", "/apis")


class PartialObjectMetadata(View):
    """An object of any kind, of which only the metadata is seen."""

    apiVersion: str
    kind: str
    metadata: ObjectMeta


@dataclass(frozen=True, slots=True)
class Discovered:
    """A kind as one group and version serves it."""

    resource: Resource[PartialObjectMetadata]
    kind: str

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return self.resource.api_version


class Discovery:
    """What the server has, as of the last `refresh`. Versions of a group stand in the order of preference."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._etags: dict[str, str] = {}
        self._found: dict[str, tuple[Discovered, ...]] = {}
        self._by_kind: dict[tuple[str, str], Discovered] = {}

    async def refresh(self) -> bool:
        """Ask again; whether anything has changed. Raises what the server answers."""
        answers = [
            (root, await self._client.read_newer(root, accept=_ACCEPT, etag=self._etags.get(root, "")))
            for root in _ROOTS
        ]
        changed = False
        for root, newer in answers:
            if newer is None:
                continue
            document, self._etags[root] = newer
            found = read_document(document, self._found.get(root, ()))
            changed |= found != self._found.get(root)
            self._found[root] = found
        if changed:
            self._by_kind = {(found.api_version, found.kind): found for found in reversed(self.all())}
        return changed

    def all(self) -> list[Discovered]:
        """Every kind of every version."""
        return [found for root in _ROOTS for found in self._found.get(root, ())]

    def preferred(self) -> list[Discovered]:
        """Every kind once, in the most preferred version that has it."""
        found: dict[tuple[str, str], Discovered] = {}
        for one in self.all():
            found.setdefault((one.resource.group, one.resource.plural), one)
        return [*found.values()]

    def by_kind(self, api_version: str, kind: str) -> Discovered | None:
        """What an object's or a reference's apiVersion and kind mean."""
        return self._by_kind.get((api_version, kind))


def read_document(document: JsonObject, before: Iterable[Discovered] = ()) -> tuple[Discovered, ...]:
    """The kinds in an aggregated document. What it does not know at the moment is as it was `before`."""
    known = list(before)
    found: list[Discovered] = []
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or ():
            if version.get("freshness") == "Stale":
                of_version = (name, version["version"])
                found += [one for one in known if (one.resource.group, one.resource.version) == of_version]
            else:
                found += _read_version(name, version)
    return tuple(found)


def _read_version(group: str, version: JsonObject) -> list[Discovered]:
    return [
        Discovered(_resource(group, version["version"], entry), entry["responseKind"]["kind"])
        for entry in version.get("resources") or ()
        if (entry.get("responseKind") or {}).get("kind")
    ]


def _resource(group: str, version: str, entry: dict[str, Any]) -> Resource[PartialObjectMetadata]:
    return Resource(
        kind=PartialObjectMetadata,
        group=group,
        version=version,
        plural=entry["resource"],
        namespaced=entry.get("scope") == "Namespaced",
        verbs=tuple(entry.get("verbs") or ()),
    )
