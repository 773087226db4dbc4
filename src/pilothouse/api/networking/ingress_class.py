"""IngressClass: which controller serves an Ingress.

Sources of the facts: pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation/validation.go. API page:
networking.k8s.io/v1 IngressClass.
"""

from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import dns_label, validate_domain_prefixed_path
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.networking.ingress.validation import validate_reference
from pilothouse.api.types.networking_v1 import IngressClass
from pilothouse.runtime.clock import Instant


def _parameters(obj: JsonObject, _now: Instant) -> str:
    found = dig(obj, "spec", "parameters")
    if found is None:
        return NONE
    group = f".{found['apiGroup']}" if found.get("apiGroup") is not None else ""
    return f"{found.get('kind', '')}{group}/{found.get('name', '')}"


_LONGEST_CONTROLLER = 250
_SCOPES = ("Cluster", "Namespace")


def default(obj: JsonObject) -> None:
    """Parameters are of the cluster."""
    parameters = dig(obj, "spec", "parameters")
    if parameters is not None and parameters.get("scope") is None:
        parameters["scope"] = "Cluster"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A controller, and where its parameters are."""
    controller = dig(obj, "spec", "controller") or ""
    if len(controller.encode()) > _LONGEST_CONTROLLER:
        errors.too_long("spec.controller", _LONGEST_CONTROLLER)
    validate_domain_prefixed_path(controller, errors, "spec.controller")
    if (parameters := dig(obj, "spec", "parameters")) is not None:
        _validate_parameters(parameters, errors, "spec.parameters")


def _validate_parameters(parameters: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_reference(parameters, errors, path)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        errors.required(at(path, "scope"))
    elif scope not in _SCOPES:
        errors.not_supported(at(path, "scope"), scope, _SCOPES)
    elif scope == "Cluster":
        if namespace is not None:
            errors.forbidden(at(path, "namespace"), "`parameters.scope` is set to 'Cluster'")
    elif namespace is None:
        errors.required(at(path, "namespace"), "`parameters.scope` is set to 'Namespace'")
    else:
        validate_text(namespace, dns_label, errors, at(path, "namespace"))


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Another controller is another class."""
    controller = dig(obj, "spec", "controller")
    validate_immutable(controller, dig(old, "spec", "controller"), errors, "spec.controller")


RESOURCE = Resource(
    kind=IngressClass,
    group="networking.k8s.io",
    version="v1",
    plural="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    columns=(
        Column("Controller", show("spec", "controller")),
        Column("Parameters", _parameters),
        AGE,
    ),
)
