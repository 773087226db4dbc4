"""PodCertificateRequests, as the node makes and follows them."""

from collections.abc import Callable
from typing import Protocol

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import PodCertificateRequest
from pilothouse.api.types.core_v1 import Node, Pod, ServiceAccount
from pilothouse.client.client import Client
from pilothouse.client.informer import Informer
from pilothouse.client.key import Key
from pilothouse.runtime.clock import Clock

ENDS = ("Denied", "Failed", "Issued")
_PATIENCE = 3.0
"""Seconds for which a pod's start waits at a time."""
_STEP = 0.1


class CertificateRequests(Protocol):
    """What the API server has of them."""

    async def make(self, pod: Pod, spec: JsonObject) -> PodCertificateRequest:
        """Ask for a certificate for the pod. Raises StatusError."""
        ...

    async def ended(self, namespace: str, name: str) -> PodCertificateRequest | None:
        """The request, in a while, or when it has ended; None for one that is not there."""
        ...

    def known(self, namespace: str, name: str) -> PodCertificateRequest | None:
        """The request as it is; None for one that is not there."""
        ...


class InformedCertificateRequests:
    """`CertificateRequests` as an informer knows them, which is started when the first pod asks."""

    def __init__(
        self, client: Client, informer: Callable[[], Informer[PodCertificateRequest]], node_name: str, clock: Clock
    ) -> None:
        self._client = client
        self._start = informer
        self._node_name = node_name
        self._clock = clock
        self._informer: Informer[PodCertificateRequest] | None = None

    async def make(self, pod: Pod, spec: JsonObject) -> PodCertificateRequest:
        """Ask for a certificate for the pod. Raises StatusError."""
        self._started()
        meta, account_name = pod.metadata, pod.spec.serviceAccountName or "default"
        account = await self._client.get(ServiceAccount, account_name, meta.namespace)
        node = await self._client.get(Node, self._node_name)
        owner = {"apiVersion": "v1", "kind": "Pod", "name": meta.name, "uid": meta.uid}
        manifest: JsonObject = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "PodCertificateRequest",
            "metadata": {"generateName": "req-", "namespace": meta.namespace, "ownerReferences": [owner]},
            "spec": {
                "podName": meta.name, "podUID": meta.uid,
                "serviceAccountName": account_name, "serviceAccountUID": account.metadata.uid,
                "nodeName": self._node_name, "nodeUID": node.metadata.uid,
                **spec,
            },
        }  # fmt: skip
        return await self._client.create(PodCertificateRequest, manifest, meta.namespace)

    async def ended(self, namespace: str, name: str) -> PodCertificateRequest | None:
        """The request, in a while, or when it has ended; None for one that is not there."""
        until = self._clock.now() + _PATIENCE
        while not is_over(found := self.known(namespace, name)) and self._clock.now() < until:
            await self._clock.sleep(_STEP)
        return found

    def known(self, namespace: str, name: str) -> PodCertificateRequest | None:
        """The request as it is; None for one that is not there."""
        return self._started().lister.get(Key(namespace, name))

    def _started(self) -> Informer[PodCertificateRequest]:
        if self._informer is None:
            self._informer = self._start()
        return self._informer


def is_over(request: PodCertificateRequest | None) -> bool:
    """Whether the signer has answered."""
    return request is not None and any(one.type in ENDS for one in request.status.conditions)
