"""ServiceAccount: an identity for pods.

Source of the facts: pkg/registry/core/serviceaccount/strategy.go. API page: core/v1 ServiceAccount.
"""

from pilothouse.api.machinery.columns import AGE, count, dig
from pilothouse.api.machinery.resource import Column, Resource, Subresource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ServiceAccount

MOUNTABLE_SECRETS = "kubernetes.io/enforce-mountable-secrets"


def prepare_for_create(obj: JsonObject) -> None:
    """Of its secrets only the names count."""
    if secrets := obj.get("secrets"):
        obj["secrets"] = [{"name": secret["name"]} if secret.get("name") else {} for secret in secrets]


def prepare_for_update(obj: JsonObject, _old: JsonObject) -> None:
    """The same at every write."""
    prepare_for_create(obj)


def warn(obj: JsonObject, old: JsonObject | None) -> list[str]:
    """That an annotation will lose its meaning; whoever has it already has been told."""
    has, had = (MOUNTABLE_SECRETS in (dig(one, "metadata", "annotations") or {}) for one in (obj, old or {}))
    if not has or had:
        return []
    words = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
    return [f"metadata.annotations[{MOUNTABLE_SECRETS}]: {words}"]


RESOURCE = Resource(
    kind=ServiceAccount,
    group="",
    version="v1",
    plural="serviceaccounts",
    answers_deleted_object=True,
    singular="serviceaccount",
    short_names=("sa",),
    subresources=(
        Subresource("token", kind="TokenRequest", group="authentication.k8s.io", version="v1", verbs=("create",)),
    ),
    generation=False,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    warn=warn,
    columns=(Column("Secrets", count("secrets")), AGE),
)
