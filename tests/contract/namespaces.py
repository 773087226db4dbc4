"""Namespaces with a default service account, as upstream's test framework makes them; they go with their maker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contract.api import Api, Items

NewNamespace = Callable[..., str]
"""Makes a namespace, with labels if they are given; its name."""


@contextmanager
def namespaces(api: Api, keeps_tokens: bool) -> Iterator[NewNamespace]:
    """Tell how to make some; `keeps_tokens` says whether each service account is to have a secret first."""
    known = api.objects("v1", "Namespace")
    made: list[str] = []

    def has_account(items: Items) -> bool:
        return "default" in items and (not keeps_tokens or "secrets" in items["default"])

    def make(labels: dict[str, str] | None = None) -> str:
        metadata = {"generateName": "contract-", "labels": {"e2e-framework": "contract", **(labels or {})}}
        name = str(known.create({"metadata": metadata})["metadata"]["name"])
        made.append(name)
        accounts = api.objects("v1", "ServiceAccount", name)
        accounts.until(has_account, 120, field="metadata.name=default")
        return name

    yield make
    for name in made:
        if known.exists(name):
            known.delete(name)
