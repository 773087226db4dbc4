"""Jobs to test with."""

from typing import Any

from pilothouse.api.batch.job import RESOURCE

UID = "u-1"


def template(**spec: Any) -> dict[str, Any]:
    """A pod template that ends."""
    containers = [{"name": "a", "image": "a:1"}]
    return {"spec": {"containers": containers, "restartPolicy": "Never", **spec}}


def job(name: str = "calc", /, **spec: Any) -> dict[str, Any]:
    """A Job as it is after creation."""
    obj: dict[str, Any] = {"metadata": {"name": name, "uid": UID}, "spec": {"template": template(), **spec}}
    RESOURCE.default(obj)
    RESOURCE.prepare_for_create(obj)
    return obj
