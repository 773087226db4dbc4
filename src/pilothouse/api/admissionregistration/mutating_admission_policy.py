"""MutatingAdmissionPolicy: changes in CEL made to objects at admission."""

from pilothouse.api.machinery.columns import AGE, UNSET, count, dig
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.admissionregistration_v1 import MutatingAdmissionPolicy
from pilothouse.runtime.clock import Instant


def _param_kind(obj: JsonObject, _now: Instant) -> str:
    kind = dig(obj, "spec", "paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind is not None else UNSET


RESOURCE = Resource(
    kind=MutatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    columns=(
        Column("Mutations", count("spec", "mutations"), type="integer"),
        Column("ParamKind", _param_kind),
        AGE,
    ),
)
