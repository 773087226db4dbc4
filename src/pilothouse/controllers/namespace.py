"""Namespace: empties a namespace that is being deleted, then lets it go.

What to empty comes from discovery, so that custom resources are not forgotten. Pods go first and must be gone before
the rest is touched (KEP-5080), lest a policy vanish before what it guards. The conditions say what it waits for.
Upstream: pkg/controller/namespace/deletion.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.api.machinery.conditions import FALSE, TRUE, condition, set_condition
from pilothouse.api.machinery.errors import MethodNotAllowed, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Namespace
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import Again, Controller, Watch, itself, rule
from pilothouse.runtime.clock import Instant

FINALIZER = "kubernetes"
_FINALIZING_SECONDS = 15.0
_BACKGROUND: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}


@dataclass(frozen=True, slots=True)
class Content:
    """A resource that stands in namespaces."""

    group: str
    version: str
    plural: str
    verbs: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How messages name it: `deployments.apps`, `pods.`."""
        return f"{self.plural}.{self.group}"

    def path(self, namespace: str) -> str:
        """Where it is in a namespace."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/namespaces/{namespace}/{self.plural}"


@dataclass(slots=True)
class Progress:
    """What a round of emptying found."""

    undiscovered: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    remaining: dict[str, int] = field(default_factory=dict)
    finalizers: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left, as far as can be known."""
        return not (self.undiscovered or self.failures or self.remaining)


def contents(lists: Iterable[JsonObject]) -> list[Content]:
    """What of the discovered resource lists stands in namespaces and can be deleted, pods first."""
    found = [
        Content(group, version, entry["name"], tuple(entry.get("verbs") or ()))
        for one in lists
        for group, _, version in [one["groupVersion"].rpartition("/")]
        for entry in one.get("resources") or ()
        if entry.get("namespaced") and "/" not in entry["name"] and "delete" in (entry.get("verbs") or ())
    ]
    return sorted(found, key=lambda content: (content.group, content.plural) != ("", "pods"))


def count_remaining(progress: Progress, content: Content, items: Sequence[JsonObject]) -> None:
    """Note what a list still shows, and how long it may take to go."""
    if not items:
        return
    progress.remaining[content.label] = len(items)
    for item in items:
        meta = item.get("metadata") or {}
        names = meta.get("finalizers") or ()
        for name in names:
            progress.finalizers[name] = progress.finalizers.get(name, 0) + 1
        if names:
            progress.seconds = max(progress.seconds, _FINALIZING_SECONDS)
        if content.label == "pods.":
            grace: Any = meta.get("deletionGracePeriodSeconds")
            if grace is None:
                grace = (item.get("spec") or {}).get("terminationGracePeriodSeconds") or 0
            progress.seconds = max(progress.seconds, float(grace))


def plan_conditions(namespace: Namespace, progress: Progress, now: Instant) -> list[JsonObject]:
    """What the namespace says of its own deletion: True is bad."""
    conditions = [dict(found.raw) for found in namespace.status.conditions]
    remaining = ", ".join(f"{name} has {n} resource instances" for name, n in sorted(progress.remaining.items()))
    waiting = ", ".join(f"{name} in {n} resource instances" for name, n in sorted(progress.finalizers.items()))
    undiscovered, failures = progress.undiscovered, progress.failures
    for kind, bad, reason, message, fine, fine_message in (
        ("NamespaceDeletionDiscoveryFailure", undiscovered, "DiscoveryFailed",
         f"Discovery failed for some groups, {len(undiscovered)} failing: {', '.join(undiscovered)}",
         "ResourcesDiscovered", "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", (), "", "",
         "ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", failures, "ContentDeletionFailed",
         f"Failed to delete all resource types, {len(failures)} remaining: {', '.join(failures)}",
         "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", remaining, "SomeResourcesRemain", f"Some resources are remaining: {remaining}",
         "ContentRemoved", "All content successfully removed"),
        ("NamespaceFinalizersRemaining", waiting, "SomeFinalizersRemain",
         f"Some content in the namespace has finalizers remaining: {waiting}",
         "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ):  # fmt: skip
        told = condition(kind, TRUE, reason, message) if bad else condition(kind, FALSE, fine, fine_message)
        set_condition(conditions, told, now)
    return conditions


class NamespaceController(Controller):
    """Deletes the content of namespaces that are going."""

    name = "namespace-controller"
    watches = (Watch(Namespace, itself),)
    rules = (
        rule(("",), ("namespaces",), ("get", "list", "watch", "delete")),
        rule(("",), ("namespaces/finalize", "namespaces/status"), ("update",)),
        rule(("*",), ("*",), ("get", "list", "watch", "delete", "deletecollection")),
    )
    workers = 10

    async def reconcile(self, key: Key) -> Again | None:
        """Empty it, and let it go when it is empty."""
        cached = self.informers.of(Namespace).lister.get(key)
        if cached is None or cached.metadata.deletionTimestamp is None:
            return None
        try:
            namespace = await self.client.get(Namespace, key.name)
        except NotFound:
            return None
        if namespace.metadata.uid != cached.metadata.uid or FINALIZER not in namespace.spec.finalizers:
            return None
        progress = Progress()
        await self._empty(key.name, progress)
        namespace = await self._report(namespace, progress)
        if progress.is_empty:
            await self._let_go(namespace)
            return None
        return Again(progress.seconds / 2 + 1)

    async def _empty(self, namespace: str, progress: Progress) -> None:
        found = contents(await self._discover(progress))
        for content in found:
            try:
                await self._delete_all(namespace, content, progress)
            except (NotFound, MethodNotAllowed):
                continue
            except StatusError as error:
                progress.failures.append(error.message)
            if content.label == "pods." and (progress.remaining or progress.failures):
                return

    async def _discover(self, progress: Progress) -> list[JsonObject]:
        """The resource lists of the preferred version of each group."""
        lists = [await self.client.read("/api/v1")]
        for group in (await self.client.read("/apis"))["groups"]:
            preferred = group["preferredVersion"]["groupVersion"]
            try:
                lists.append(await self.client.read(f"/apis/{preferred}"))
            except StatusError as error:
                progress.undiscovered.append(f"{preferred}: {error.message}")
        return lists

    async def _delete_all(self, namespace: str, content: Content, progress: Progress) -> None:
        path = content.path(namespace)
        if "deletecollection" in content.verbs:
            await self.client.write("DELETE", path, _BACKGROUND)
        elif "list" in content.verbs:
            for item in (await self.client.read(path)).get("items") or ():
                await self._delete(f"{path}/{item['metadata']['name']}")
        if "list" in content.verbs:
            count_remaining(progress, content, (await self.client.read(path)).get("items") or ())

    async def _delete(self, path: str) -> None:
        try:
            await self.client.write("DELETE", path, _BACKGROUND)
        except NotFound:
            return

    async def _report(self, namespace: Namespace, progress: Progress) -> Namespace:
        conditions = plan_conditions(namespace, progress, self.clock.now())
        if conditions == [found.raw for found in namespace.status.conditions]:
            return namespace
        status = {**namespace.status.raw, "phase": "Terminating", "conditions": conditions}
        return await self.client.update(Namespace, {**namespace.raw, "status": status}, subresource="status")

    async def _let_go(self, namespace: Namespace) -> None:
        kept = [name for name in namespace.spec.finalizers if name != FINALIZER]
        manifest = {**namespace.raw, "spec": {**namespace.spec.raw, "finalizers": kept}}
        try:
            await self.client.update(Namespace, manifest, subresource="finalize")
        except NotFound:
            return
