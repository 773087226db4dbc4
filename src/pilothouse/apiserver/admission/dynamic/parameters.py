"""The parameters of a policy: objects of its paramKind that a binding names or selects.

Source: apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams).
"""

from collections.abc import Sequence

from pilothouse.api.catalogue import AnyResource, Catalogue
from pilothouse.api.machinery.selectors import from_label_selector
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.served import Served

_MISPLACED = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
_NOWHERE = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
_MISSING = "no params found for policy binding with `Deny` parameterNotFoundAction"
NO_PARAMETERS: Sequence[JsonObject | None] = (None,)
"""What a policy is evaluated with, once, that takes none."""


class ConfigurationError(Exception):
    """A policy or binding cannot be used as it is."""


def parameter_resource(kind: JsonObject, catalogue: Catalogue) -> AnyResource:
    """The resource of a paramKind. Raises ConfigurationError."""
    group, _, version = (kind.get("apiVersion") or "").rpartition("/")
    found = catalogue.by_kind(group, version, kind.get("kind") or "")
    if found is None:
        what = f"{group}/{version}, Kind={kind.get('kind') or ''}"
        raise ConfigurationError(f"failed to find resource referenced by paramKind: '{what}'")
    return found


async def find_parameters(
    resource: AnyResource | None, reference: JsonObject | None, namespace: str, served: Served
) -> Sequence[JsonObject | None]:
    """The objects to evaluate with, one after the other; none where that is allowed. Raises ConfigurationError."""
    if resource is None or reference is None:
        return NO_PARAMETERS
    given = reference.get("namespace") or ""
    if resource.namespaced and not (given or namespace):
        raise ConfigurationError(_NOWHERE)
    if given and not resource.namespaced:
        raise ConfigurationError(_MISPLACED)
    where = (given or namespace) if resource.namespaced else ""
    found = _look_up(resource, reference, where, served)
    if not found and reference.get("name"):
        await served.cache.reach_latest()  # another server may have made it just now
        found = _look_up(resource, reference, where, served)
    if not found and reference.get("parameterNotFoundAction") == "Deny":
        raise ConfigurationError(_MISSING)
    return [entry.kept() if resource.stored_as is None else served.decode(resource, entry) for entry in found]


def _look_up(resource: AnyResource, reference: JsonObject, namespace: str, served: Served) -> Sequence[Entry]:
    cache = served.cache_of(resource)
    if name := reference.get("name"):
        entry = cache.get(namespace, name)
        return () if entry is None else (entry,)
    selector = from_label_selector(reference.get("selector"))
    return [entry for entry in cache.select(namespace) if selector.matches(entry.labels)]
