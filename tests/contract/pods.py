"""Pods that need not do anything."""

from typing import Any

from contract.api import Items, Json, Objects
from contract.images import PAUSE

START_SECONDS = 300
"""framework.PodStartTimeout of upstream's."""


def pause_pod(name: str, *, spec: Json | None = None, resources: Json | None = None, **metadata: Any) -> Json:
    """A pod with one container that waits."""
    container = {"name": "pause", "image": PAUSE, **({"resources": resources} if resources else {})}
    return {"metadata": {"name": name, **metadata}, "spec": {"containers": [container], **(spec or {})}}


def phase(pod: Json) -> Any:
    """How far it is."""
    return pod.get("status", {}).get("phase")


def until_running(pods: Objects, name: str) -> Json:
    """The pod, once it runs."""

    def runs(items: Items) -> bool:
        return name in items and phase(items[name]) == "Running"

    return pods.until(runs, START_SECONDS, field=f"metadata.name={name}")[name]


def until_ready(pods: Objects, name: str) -> Json:
    """The pod, once it runs and is ready."""

    def ready(items: Items) -> bool:
        found = items.get(name, {})
        return phase(found) == "Running" and ("Ready", "True") in [
            (condition["type"], condition["status"]) for condition in found["status"].get("conditions", [])
        ]

    return pods.until(ready, START_SECONDS, field=f"metadata.name={name}")[name]
