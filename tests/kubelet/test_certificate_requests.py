"""Requests as the API server gets them from a node, which may do no more than a node may."""

from functools import partial

import pytest

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import PodCertificateRequest
from pilothouse.api.types.core_v1 import Node, Pod, ServiceAccount
from pilothouse.apiserver.user import User
from pilothouse.client.informer import Informers
from pilothouse.controllers.main import ControllersConfig
from pilothouse.kubelet.certificate_keys import new_key
from pilothouse.kubelet.certificate_requests import InformedCertificateRequests, is_over
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.cluster import Cluster

NODE = User("system:node:n1", ("system:nodes", "system:authenticated"))
DENIED: JsonObject = {
    "conditions": [
        {
            "type": "Denied",
            "status": "True",
            "reason": "No",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]
}


def requests(cluster: Cluster, tasks: Tasks, clock: Clock, chance: Chance) -> InformedCertificateRequests:
    client = cluster.client(NODE)
    informer = partial(Informers(client, clock, tasks, chance).of, PodCertificateRequest, fields="spec.nodeName=n1")
    return InformedCertificateRequests(client, informer, "n1", clock)


async def running_pod(cluster: Cluster) -> Pod:
    client = cluster.client()
    await client.create(Node, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}
    await client.create(ServiceAccount, account, "default")
    spec = {"nodeName": "n1", "serviceAccountName": "robot", "containers": [{"name": "app", "image": "app:1"}]}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    return await client.create(Pod, manifest, "default")


def test_a_request_says_who_asks_for_whom_and_is_followed() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig()) as cluster, Tasks() as tasks:
            pod, client = await running_pod(cluster), cluster.client()
            known = requests(cluster, tasks, clock, chance)
            spec = {"signerName": "example.com/a", "stubPKCS10Request": new_key("ED25519").request}
            made = await known.make(pod, spec)
            meta, node = made.metadata, await client.get(Node, "n1")
            account = await client.get(ServiceAccount, "robot", "default")
            assert meta.name.startswith("req-")
            assert [(one.apiVersion, one.kind, one.name, one.uid) for one in meta.ownerReferences] == [
                ("v1", "Pod", "web", pod.metadata.uid)
            ]
            assert dict(made.spec.raw) == {
                **spec, "maxExpirationSeconds": 86400, "podName": "web", "podUID": pod.metadata.uid,
                "serviceAccountName": "robot", "serviceAccountUID": account.metadata.uid,
                "nodeName": "n1", "nodeUID": node.metadata.uid,
            }  # fmt: skip
            before = clock.now()
            found = await known.ended("default", meta.name)
            assert found is not None
            assert not is_over(found)
            assert clock.now() - before == pytest.approx(3, abs=0.2)

            async def deny() -> None:
                await clock.sleep(0.5)
                body = {**made.literal(), "status": DENIED}
                await client.update(PodCertificateRequest, body, subresource="status")

            tasks.spawn(deny(), name="signer")
            assert is_over(await known.ended("default", meta.name))
            assert clock.now() - before < 5
            await client.delete(PodCertificateRequest, meta.name, "default")
            await clock.sleep(1)
            assert known.known("default", meta.name) is None

            await client.delete(ServiceAccount, "robot", "default")
            with pytest.raises(StatusError, match="robot"):
                await known.make(pod, spec)

    loop.run(main)
