"""Service account: each namespace has one called `default`, as which pods run that name no other.

Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go. API page: core/v1 ServiceAccount.
"""

from collections.abc import Iterable

from pilothouse.api.machinery.errors import AlreadyExists, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import Namespace, ServiceAccount
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Watch, itself, rule
from pilothouse.reconcile.pod_control import is_namespace_terminating

NAME = "default"
_SELECTION = f"metadata.name={NAME}"


def its_namespace(view: View, informers: Informers) -> Iterable[Key]:  # noqa: ARG001 - a KeyFunction
    """The key of the namespace in which something stands."""
    return (Key("", view.metadata.namespace),)


def is_going(namespace: Namespace) -> bool:
    """Whether nothing can be created in it any more."""
    return namespace.metadata.deletionTimestamp is not None or namespace.status.phase == "Terminating"


def plan_account(namespace: Namespace, present: ServiceAccount | None) -> JsonObject | None:
    """What to create in the namespace, if anything."""
    if present is not None or is_going(namespace):
        return None
    return {"metadata": {"name": NAME, "namespace": namespace.metadata.name}}


class ServiceAccountController(Controller):
    """Creates what is missing; changes and deletes nothing."""

    name = "serviceaccount-controller"
    identity = "service-account-controller"
    watches = (Watch(Namespace, itself), Watch(ServiceAccount, its_namespace, fields=_SELECTION))
    rules = (rule(("",), ("serviceaccounts",), ("create",)), EVENTS)

    async def reconcile(self, key: Key) -> Again | None:
        """Create the account, unless it is there."""
        namespace = self.informers.of(Namespace).lister.get(key)
        if namespace is None:
            return None
        present = self.informers.of(ServiceAccount, fields=_SELECTION).lister.get(Key(key.name, NAME))
        manifest = plan_account(namespace, present)
        if manifest is not None:
            try:
                await self.client.create(ServiceAccount, manifest)
            except (AlreadyExists, NotFound):
                return None
            except StatusError as error:
                if not is_namespace_terminating(error):
                    raise
        return None
