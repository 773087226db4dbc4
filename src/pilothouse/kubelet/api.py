"""What the kubelet asks of the API server, as narrow Protocols, and the adapters that put a Client behind them.

Workers, volumes and images see these alone: component tests give them fakes that mypy checks.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from pilothouse.api.machinery.errors import NotFound, ServiceUnavailable
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.authentication_v1 import TokenRequest
from pilothouse.api.types.core_v1 import ConfigMap, Pod, Secret, Service, ServiceAccount
from pilothouse.api.types.node_v1 import RuntimeClass
from pilothouse.client.client import Client, PatchForm


class Pods(Protocol):
    """Pods, as the node reports on them. Methods may raise StatusError."""

    async def patch_status(self, pod: Pod, patch: JsonObject) -> Pod:
        """Apply a strategic merge patch to the status of exactly this pod."""
        ...

    async def delete(self, pod: Pod) -> None:
        """Let exactly this pod go at once: nothing of it is left on the node."""
        ...


class Objects(Protocol):
    """What pods refer to. None stands for what is not there."""

    async def config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """A ConfigMap."""
        ...

    async def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret."""
        ...

    async def runtime_class(self, name: str) -> RuntimeClass:
        """A RuntimeClass. Raises StatusError when there is none."""
        ...

    async def token(self, pod: Pod, request: JsonObject) -> TokenRequest:
        """A fresh token of the pod's service account. Raises StatusError."""
        ...

    def services(self) -> Sequence[Service]:
        """All services."""
        ...


class Recorder(Protocol):
    """Tells users what happened."""

    def event(
        self, about: View | JsonObject, kind: str, reason: str, message: str,
        annotations: Mapping[str, str] | None = None, /,
    ) -> None:  # fmt: skip
        """Never blocks, never fails."""
        ...


class ClientPods:
    """`Pods` over the API."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def patch_status(self, pod: Pod, patch: JsonObject) -> Pod:
        """Apply a strategic merge patch to the status; the uid is a precondition."""
        meta = pod.metadata
        body = {"metadata": {"uid": meta.uid}, "status": patch}
        with _reaching():
            return await self._client.patch(
                Pod, meta.name, meta.namespace, body, subresource="status", form=PatchForm.STRATEGIC
            )

    async def delete(self, pod: Pod) -> None:
        """Delete with grace period 0; the uid is a precondition."""
        meta = pod.metadata
        with _reaching():
            await self._client.delete(Pod, meta.name, meta.namespace, grace_period=0, uid=meta.uid)


@contextmanager
def _reaching() -> Iterator[None]:
    """A server that cannot be reached is one that cannot serve."""
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise ServiceUnavailable(str(error) or "timed out") from error


class ClientObjects:
    """`Objects` over the API, read each time they are asked for."""

    def __init__(self, client: Client, services: "Services") -> None:
        self._client = client
        self._services = services

    async def config_map(self, namespace: str, name: str) -> ConfigMap | None:
        """A ConfigMap."""
        try:
            return await self._client.get(ConfigMap, name, namespace)
        except NotFound:
            return None

    async def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret."""
        try:
            return await self._client.get(Secret, name, namespace)
        except NotFound:
            return None

    async def runtime_class(self, name: str) -> RuntimeClass:
        """A RuntimeClass."""
        return await self._client.get(RuntimeClass, name)

    async def token(self, pod: Pod, request: JsonObject) -> TokenRequest:
        """A fresh token of the pod's service account."""
        account = pod.spec.serviceAccountName or "default"
        manifest = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": request}
        answer = await self._client.create(
            ServiceAccount, manifest, pod.metadata.namespace, name=account, subresource="token"
        )
        return TokenRequest(answer.raw)

    async def service_account(self, namespace: str, name: str) -> ServiceAccount:
        """A ServiceAccount; NotFound when there is none."""
        return await self._client.get(ServiceAccount, name, namespace)

    def services(self) -> Sequence[Service]:
        """All services."""
        return self._services.list()


class Services(Protocol):
    """The copy that an informer keeps."""

    def list(self, namespace: str = "") -> list[Service]:
        """All, or those of one namespace."""
        ...
