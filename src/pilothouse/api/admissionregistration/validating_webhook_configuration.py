"""ValidatingWebhookConfiguration: webhooks that may refuse objects at admission."""

from pilothouse.api.machinery.columns import AGE, count
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.types.admissionregistration_v1 import ValidatingWebhookConfiguration

RESOURCE = Resource(
    kind=ValidatingWebhookConfiguration,
    group="admissionregistration.k8s.io",
    version="v1",
    plural="validatingwebhookconfigurations",
    singular="validatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    columns=(
        Column("Webhooks", count("webhooks"), type="integer"),
        AGE,
    ),
)
