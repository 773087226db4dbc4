"""The catalogue: every kind an API server serves, found by group, version, plural, kind or view class.

The built-in kinds are the files below `pilothouse.api`, one each; nothing lists them. Groups and versions have the
order in which upstream's discovery prefers them, because `kubectl` picks the first group that knows a name. What
upstream's clusters have from an addon comes last, and is no built-in kind.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pilothouse.api.machinery.resource import Resource, V
from pilothouse.api.machinery.view import View
from pilothouse.runtime.units import values

_GROUP_ORDER = (
    "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io",
    "autoscaling", "batch", "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io",
    "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io",
    "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "flowcontrol.apiserver.k8s.io", "resource.k8s.io",
    "storagemigration.k8s.io",
)  # fmt: skip
"""Built-in groups, most preferred first."""

_NOT_KINDS = frozenset({"machinery", "types"})
"""Packages of `pilothouse.api` that hold no kinds; not imported to look for some."""
_ADDED = ("metrics",)
"""Packages whose kinds are an addon's."""

AnyResource = Resource[Any]


def _version_order(version: str) -> tuple[int, int, int, str]:
    """Stable before beta before alpha, higher before lower: the order of Kubernetes' version names."""
    head, _, rest = version.partition("alpha")
    stage = 2
    if not rest:
        head, _, rest = version.partition("beta")
        stage = 1 if rest else 0
    digits = head.removeprefix("v")
    if not version.startswith("v") or not digits.isdigit() or (rest and not rest.isdigit()):
        return (3, 0, 0, version)
    return (stage, -int(digits), -int(rest or 0), "")


class Catalogue:
    """Kinds in a stable order: preferred groups and versions first, then by plural."""

    def __init__(self, resources: Iterable[AnyResource]) -> None:
        rank = {group: position for position, group in enumerate(_GROUP_ORDER)}
        self._resources = sorted(
            resources,
            key=lambda r: (rank.get(r.group, len(rank)), r.group, _version_order(r.version), r.plural),
        )
        self._by_plural = {(r.group, r.version, r.plural): r for r in self._resources}
        self._by_kind = {(r.group, r.version, r.name): r for r in self._resources}
        self._by_class: dict[type[View], AnyResource] = {r.kind: r for r in self._resources}
        if len(self._by_plural) != len(self._resources):
            raise ValueError("two kinds share a group, version and plural")

    def __iter__(self) -> Iterator[AnyResource]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def of(self, kind: type[V]) -> Resource[V]:
        """The resource whose objects the view class reads. Raises LookupError for a class that has none."""
        found = self._by_class.get(kind)
        if found is None:
            raise LookupError(f"{kind.__module__}.{kind.__name__} is not the view of a served kind")
        return found

    def find(self, group: str, version: str, plural: str) -> AnyResource | None:
        """The resource at a URL's group, version and plural."""
        return self._by_plural.get((group, version, plural))

    def by_kind(self, group: str, version: str, kind: str) -> AnyResource | None:
        """The resource of an object's apiVersion and kind."""
        return self._by_kind.get((group, version, kind))

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Every group with its versions, both in the order of preference; the first version is the preferred one."""
        found: dict[str, list[str]] = {}
        for resource in self._resources:
            versions = found.setdefault(resource.group, [])
            if resource.version not in versions:
                versions.append(resource.version)
        return {group: tuple(versions) for group, versions in found.items()}

    def in_version(self, group: str, version: str) -> tuple[AnyResource, ...]:
        """The resources of one group and version, by plural: what a discovery document lists."""
        return tuple(r for r in self._resources if (r.group, r.version) == (group, version))

    def stored(self, resource: AnyResource) -> AnyResource:
        """The resource whose version is in the store: `resource` itself unless it is stored as another."""
        if resource.stored_as is None:
            return resource
        group, version = resource.stored_as
        found = self._by_kind.get((group, version, resource.name))
        if found is None:
            raise LookupError(f"{resource.api_version} {resource.name} is stored as {group}/{version}: no such kind")
        return found


@cache
def builtin() -> Catalogue:
    """The kinds that every API server serves."""
    root = importlib.import_module("pilothouse.api")
    packages = [info.name for info in pkgutil.iter_modules(root.__path__) if info.ispkg]
    return Catalogue(_kinds_in(sorted({*packages} - _NOT_KINDS - {*_ADDED})))


@cache
def with_addons() -> Catalogue:
    """Those, and what an addon serves upstream and this server itself."""
    return Catalogue([*builtin(), *_kinds_in(_ADDED)])


def _kinds_in(packages: Iterable[str]) -> Iterator[AnyResource]:
    for package in packages:
        yield from values("RESOURCE", Resource, f"pilothouse.api.{package}")
