"""MutatingAdmissionPolicyBinding: where and with which parameters a policy applies.

Source of the facts: pkg/apis/admissionregistration/validation/validation.go. API page: admissionregistration.k8s.io/v1
MutatingAdmissionPolicyBinding.
"""

from pilothouse.api.admissionregistration.policies import default_binding, show_param_ref, validate_binding
from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.admissionregistration_v1 import MutatingAdmissionPolicyBinding


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A policy, and for what it is."""
    validate_binding(obj.get("spec") or {}, errors, "spec")


RESOURCE = Resource(
    kind=MutatingAdmissionPolicyBinding,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
    default=default_binding,
    validate=validate,
    columns=(
        Column("PolicyName", show("spec", "policyName")),
        Column("ParamRef", show_param_ref),
        AGE,
    ),
)
