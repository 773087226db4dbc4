"""ValidatingAdmissionPolicy: rules in CEL that may refuse objects at admission."""

from pilothouse.api.machinery.columns import AGE, UNSET, count, dig
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.admissionregistration_v1 import ValidatingAdmissionPolicy
from pilothouse.runtime.clock import Instant


def _param_kind(obj: JsonObject, _now: Instant) -> str:
    kind = dig(obj, "spec", "paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind is not None else UNSET


RESOURCE = Resource(
    kind=ValidatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    subresources=(STATUS,),
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    columns=(
        Column("Validations", count("spec", "validations"), type="integer"),
        Column("ParamKind", _param_kind),
        AGE,
    ),
)
