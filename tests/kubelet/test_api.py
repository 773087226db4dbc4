"""What the kubelet asks of the API server."""

import asyncio
from typing import Any, cast

import pytest

from kubelet.harness import pod
from pilothouse.api.machinery.errors import ServiceUnavailable
from pilothouse.api.types.core_v1 import Pod, ServiceAccount
from pilothouse.client.client import Client
from pilothouse.kubelet.api import ClientObjects, ClientPods, Services


class Unreachable:
    """A client whose server is away."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def patch(self, *_args: Any, **_more: Any) -> Pod:
        raise self._error

    async def delete(self, *_args: Any, **_more: Any) -> None:
        raise self._error


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), TimeoutError()])
def test_a_server_that_cannot_be_reached_is_one_that_cannot_serve(error: Exception) -> None:
    async def main() -> None:
        pods = ClientPods(cast("Client", Unreachable(error)))
        with pytest.raises(ServiceUnavailable):
            await pods.patch_status(Pod(pod()), {})
        with pytest.raises(ServiceUnavailable):
            await pods.delete(Pod(pod()))

    asyncio.run(main())


def test_an_account_is_read_when_it_is_asked_for() -> None:
    class Holding:
        async def get(self, kind: type[ServiceAccount], name: str, namespace: str) -> ServiceAccount:
            return kind({"metadata": {"name": name, "namespace": namespace}})

    objects = ClientObjects(cast("Client", Holding()), cast("Services", None))
    found = asyncio.run(objects.service_account("shop", "default")).metadata
    assert (found.namespace, found.name) == ("shop", "default")
