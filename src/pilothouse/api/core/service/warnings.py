"""What whoever writes a Service is told though it is accepted. Source: pkg/api/service/warnings.go.

*assumed*: that of the addresses, which are canonical by then, nothing more is to be said.
"""

from collections.abc import Iterator

from pilothouse.api.core.service.questions import HEADLESS
from pilothouse.api.machinery.view import JsonObject

_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """The warnings for a Service, new or changed."""
    return list(_warnings(obj.get("spec") or {}, (obj.get("metadata") or {}).get("annotations") or {}))


def _warnings(spec: JsonObject, annotations: JsonObject) -> Iterator[str]:
    kind = spec.get("type")
    headless = kind == "ClusterIP" and spec.get("clusterIP") == HEADLESS
    if _HINTS in annotations:
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    if headless:
        for name in ("loadBalancerIP", "externalIPs"):
            if spec.get(name):
                yield f"spec.{name} is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    if spec.get("externalIPs") and not headless and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if spec.get("externalIPs") and kind == "ExternalName":
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if spec.get("externalName") and kind != "ExternalName":
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
