"""Tokens: a node asks for those of its pods' accounts, bound to the pod and for the audiences that its volumes name."""

from collections.abc import Iterator

from pilothouse.api.core.pod.references import volume_claim
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.admission.plugins.node_restriction.pods import existing, runs_on
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry.watch_cache import WatchCache


def refuse_token(node: str, write: Write, cache: WatchCache) -> str:
    """Why the node gets no such token, whoever it is for. Raises NotFound without the pod."""
    spec = _spec(write)
    bound = spec.get("boundObjectRef") or {}
    if (bound.get("apiVersion"), bound.get("kind")) != ("v1", "Pod") or not bound.get("name"):
        return "node requested token not bound to a pod"
    if not bound.get("uid"):
        return "node requested token with a pod binding without a uid"
    entry = existing(cache, write.namespace, bound["name"])
    if entry.decode()["metadata"]["uid"] != bound["uid"]:
        return (
            f"the UID in the bound object reference ({bound['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
    if not runs_on(entry, node):
        return "node requested token bound to a pod scheduled on a different node"
    if len(spec.get("audiences") or ()) > 1:
        return "node may only request 0 or 1 audiences"
    return ""


def unnamed_audience(write: Write, cache: WatchCache) -> str | None:
    """The audience, if no volume of the pod names it; None if one does. Without any the default is meant: empty."""
    spec = _spec(write)
    audience = next(iter(spec.get("audiences") or ()), "")
    pod = existing(cache, write.namespace, spec["boundObjectRef"]["name"]).decode()
    return None if audience in _audiences(pod, cache) else audience


def _audiences(pod: JsonObject, cache: WatchCache) -> Iterator[str]:
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("serviceAccountToken") is not None:
                yield source["serviceAccountToken"].get("audience") or ""
        driver = cache.of("storage.k8s.io", "csidrivers").get("", _driver(pod, volume, cache))
        if driver is not None:
            for request in driver.decode()["spec"].get("tokenRequests") or ():
                yield request.get("audience") or ""


def _driver(pod: JsonObject, volume: JsonObject, cache: WatchCache) -> str:
    """The CSI driver of a volume, named in the pod or by the volume that its claim is bound to."""
    claim = volume_claim(pod, volume)
    if not claim:
        return (volume.get("csi") or {}).get("driver") or ""
    found = cache.of("", "persistentvolumeclaims").get(pod["metadata"]["namespace"], claim)
    name = (found.decode()["spec"].get("volumeName") or "") if found is not None else ""
    kept = cache.of("", "persistentvolumes").get("", name)
    return ((kept.decode()["spec"].get("csi") or {}).get("driver") or "") if kept is not None else ""


def _spec(write: Write) -> JsonObject:
    return (write.new or {}).get("spec") or {}
