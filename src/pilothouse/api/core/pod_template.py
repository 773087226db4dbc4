"""PodTemplate: a pod template as an object of its own. Source: pkg/registry/core/podtemplate."""

from pilothouse.api.core.pod.defaults import default_pod_template
from pilothouse.api.core.pod.validation import validate_pod_template
from pilothouse.api.core.pod.warnings import warn_of_pods
from pilothouse.api.machinery.columns import show_labels
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PodTemplate
from pilothouse.runtime.clock import Instant


def default(obj: JsonObject) -> None:
    """The template's own defaults."""
    default_pod_template(obj.setdefault("template", {}))


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The template's own rules."""
    validate_pod_template(obj.get("template") or {}, errors, "template")


def warn(obj: JsonObject, old: JsonObject | None) -> list[str]:
    """What the author of a template is told whenever it has changed."""
    if old is not None and obj.get("template") == old.get("template"):
        return []
    return warn_of_pods(obj.get("template") or {}, "template.")


def _containers(obj: JsonObject) -> list[JsonObject]:
    return ((obj.get("template") or {}).get("spec") or {}).get("containers") or []


def _names(obj: JsonObject, _now: Instant) -> str:
    return ",".join(container.get("name") or "" for container in _containers(obj))


def _images(obj: JsonObject, _now: Instant) -> str:
    return ",".join(container.get("image") or "" for container in _containers(obj))


RESOURCE = Resource(
    kind=PodTemplate,
    group="",
    version="v1",
    plural="podtemplates",
    answers_deleted_object=True,
    singular="podtemplate",
    default=default,
    validate=validate,
    warn=warn,
    columns=(
        Column("Containers", _names, description="The names of the template's containers."),
        Column("Images", _images, description="The images of the template's containers."),
        Column("Pod Labels", show_labels("template", "metadata", "labels"), description="The template's labels."),
    ),
)
