"""ResourceClaimTemplate: makes a ResourceClaim for each pod.

Source of the facts: pkg/apis/resource/validation/validation.go. API page: resource.k8s.io/v1 ResourceClaimTemplate.
"""

from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import validate_annotations, validate_labels
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.requests import default_claim, validate_claim_spec
from pilothouse.api.types.resource_v1 import ResourceClaimTemplate


def default(obj: JsonObject) -> None:
    """As in a claim."""
    default_claim(obj.setdefault("spec", {}).setdefault("spec", {}))


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """A claim, with labels and annotations."""
    metadata = dig(obj, "spec", "metadata") or {}
    validate_annotations(metadata.get("annotations") or {}, errors, "spec.metadata.annotations")
    validate_labels(metadata.get("labels") or {}, errors, "spec.metadata.labels")
    validate_claim_spec(dig(obj, "spec", "spec") or {}, errors, "spec.spec")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Claims that were made from it stay as they are, so it does, too."""
    validate_immutable(obj.get("spec"), old.get("spec"), errors, "spec")


RESOURCE = Resource(
    kind=ResourceClaimTemplate,
    group="resource.k8s.io",
    version="v1",
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    generation=False,
    default=default,
    validate_create=validate_create,
    validate_update=validate_update,
)
