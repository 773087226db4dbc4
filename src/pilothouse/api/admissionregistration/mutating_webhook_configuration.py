"""MutatingWebhookConfiguration: webhooks that may change objects at admission."""

from pilothouse.api.machinery.columns import AGE, count
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.admissionregistration_v1 import MutatingWebhookConfiguration

RESOURCE = Resource(
    kind=MutatingWebhookConfiguration,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="mutatingwebhookconfigurations",
    singular="mutatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    columns=(
        Column("Webhooks", count("webhooks"), type="integer"),
        AGE,
    ),
)
