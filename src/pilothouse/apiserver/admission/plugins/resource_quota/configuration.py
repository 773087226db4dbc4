"""What the admission configuration can say of quotas: what may be used only where a quota covers it.

Source: apis/resourcequota beside upstream's plugin; "Limit Priority Class consumption by default" of the documentation.
"""

from typing import Any

from pilothouse.api.core.resource_quota.admit import Limited
from pilothouse.api.machinery.view import JsonObject

_KINDS = (
    ("apiserver.config.k8s.io/v1", "ResourceQuotaConfiguration"),
    ("resourcequota.admission.k8s.io/v1beta1", "Configuration"),
    ("resourcequota.admission.k8s.io/v1alpha1", "Configuration"),
)


def read_configuration(configuration: JsonObject | None) -> tuple[Limited, ...]:
    """Read it. Raises ValueError for what it is not."""
    if not configuration:
        return ()
    kind = (configuration.get("apiVersion"), configuration.get("kind"))
    if kind not in _KINDS:
        raise ValueError(f"ResourceQuota: it is {kind[0]} {kind[1]}, not {' '.join(_KINDS[0])}")
    found = configuration.get("limitedResources") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("ResourceQuota: limitedResources: must be a list of resources")
    return tuple([_read_one(one, position) for position, one in enumerate(found)])


def _read_one(one: dict[str, Any], position: int) -> Limited:
    if not one.get("resource"):
        raise ValueError(f"ResourceQuota: limitedResources[{position}].resource: Required value")
    names, scopes = one.get("matchContains") or (), one.get("matchScopes") or ()
    return Limited(one.get("apiGroup") or "", one["resource"], tuple(names), tuple(scopes))
