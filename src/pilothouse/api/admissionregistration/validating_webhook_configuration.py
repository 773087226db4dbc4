"""ValidatingWebhookConfiguration: webhooks that may refuse objects at admission.

`webhooks` has their defaults and rules. API page: admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration.
"""

from functools import partial

from pilothouse.api.admissionregistration.webhooks import default_webhooks, validate_webhooks
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
    unconditional_update=False,
    default=partial(default_webhooks, mutating=False),
    validate=validate_webhooks,
    columns=(
        Column("Webhooks", count("webhooks"), type="integer"),
        AGE,
    ),
)
