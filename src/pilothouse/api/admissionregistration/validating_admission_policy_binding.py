"""ValidatingAdmissionPolicyBinding: where and with which parameters a policy applies."""

from pilothouse.api.machinery.columns import AGE, UNSET, dig, selector_text, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.admissionregistration_v1 import ValidatingAdmissionPolicyBinding
from pilothouse.runtime.clock import Instant


def _param_ref(obj: JsonObject, _now: Instant) -> str:
    ref = dig(obj, "spec", "paramRef") or {}
    if ref.get("name"):
        return f"{ref.get('namespace') or '*'}/{ref['name']}"
    return selector_text(ref["selector"]) if ref.get("selector") else UNSET


RESOURCE = Resource(
    kind=ValidatingAdmissionPolicyBinding,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    columns=(
        Column("PolicyName", show("spec", "policyName")),
        Column("ParamRef", _param_ref),
        AGE,
    ),
)
