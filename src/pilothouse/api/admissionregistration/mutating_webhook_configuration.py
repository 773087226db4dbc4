"""MutatingWebhookConfiguration: webhooks that may change objects at admission.

`webhooks` has their defaults and rules. API page: admissionregistration.k8s.io/v1 MutatingWebhookConfiguration.
"""

from functools import partial

from pilothouse.api.admissionregistration.webhooks import default_webhooks, validate_webhooks
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
    unconditional_update=False,
    default=partial(default_webhooks, mutating=True),
    validate=validate_webhooks,
    columns=(
        Column("Webhooks", count("webhooks"), type="integer"),
        AGE,
    ),
)
