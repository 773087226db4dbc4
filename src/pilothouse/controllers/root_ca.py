"""Root CA: each namespace has a ConfigMap with the certificate by which its pods know the API server.

It is projected into every pod beside the token. Upstream: pkg/controller/certificates/rootcacertpublisher; KEP-1205.
"""

from pilothouse.api.machinery.errors import AlreadyExists, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ConfigMap, Namespace
from pilothouse.client.key import Key
from pilothouse.controllers.service_account import is_going, its_namespace
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, itself, rule
from pilothouse.reconcile.pod_control import is_namespace_terminating

NAME = "kube-root-ca.crt"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
_SELECTION = f"metadata.name={NAME}"


def plan_config_map(namespace: Namespace, present: ConfigMap | None, certificates: str) -> JsonObject | None:
    """What the ConfigMap should be; None where it is that, or can be no more."""
    if is_going(namespace):
        return None
    data = {"ca.crt": certificates}
    described = {"kubernetes.io/description": DESCRIPTION}
    if present is None:
        meta: JsonObject = {"name": NAME, "namespace": namespace.metadata.name, "annotations": described}
        return {"metadata": meta, "data": data}
    annotations = present.metadata.annotations
    if dict(present.data) == data and described.items() <= annotations.items():
        return None
    manifest = present.literal()
    manifest["metadata"]["annotations"] = {**annotations, **described}
    return {**manifest, "data": data}


class RootCaController(Controller):
    """Publishes the cluster's authority in all namespaces."""

    name = "root-ca-certificate-publisher-controller"
    identity = "root-ca-cert-publisher"
    watches = (Watch(Namespace, itself), Watch(ConfigMap, its_namespace, fields=_SELECTION))
    rules = (rule(("",), ("configmaps",), ("create", "update")), EVENTS)

    def __init__(self, tools: Tools, certificates: str) -> None:
        super().__init__(tools)
        self._certificates = certificates

    async def reconcile(self, key: Key) -> Again | None:
        """Create the ConfigMap, or put it right."""
        namespace = self.informers.of(Namespace).lister.get(key)
        if namespace is None:
            return None
        present = self.informers.of(ConfigMap, fields=_SELECTION).lister.get(Key(key.name, NAME))
        manifest = plan_config_map(namespace, present, self._certificates)
        if manifest is None:
            return None
        try:
            if present is None:
                await self.client.create(ConfigMap, manifest)
            else:
                await self.client.update(ConfigMap, manifest)
        except (AlreadyExists, NotFound):
            return None
        except StatusError as error:
            if not is_namespace_terminating(error):
                raise
        return None
