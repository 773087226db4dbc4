"""LimitRanger on a server. Source: plugin/pkg/admission/limitranger/admission_test.go."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.core_v1 import LimitRange, PersistentVolumeClaim, Pod
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.admission.plugins.limit_ranger import LimitRanger
from pilothouse.apiserver.authorization.framework import Chain
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[Client], Awaitable[None]]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            plugin = LimitRanger(server.served, Chain(()), clock, chance)
            server.assemble(admission=AdmissionChain([plugin]))
            await story(Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo()))

    run_virtual(scenario)


def place(name: str, namespace: str = "default") -> dict[str, str]:
    return {"name": name, "namespace": namespace}


def pod(name: str, namespace: str = "default", **resources: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "example:1", "resources": resources}
    return {"metadata": place(name, namespace), "spec": {"containers": [container]}}


async def limits(client: Client, name: str, **item: Any) -> None:
    await client.create(LimitRange, {"metadata": place(name), "spec": {"limits": [{"type": "Container", **item}]}})


async def refusal(attempt: Awaitable[object]) -> str:
    with pytest.raises(Forbidden) as error:
        await attempt
    return error.value.message


def test_pods() -> None:
    async def story(client: Client) -> None:
        await limits(client, "a", max={"cpu": "1"}, default={"cpu": "500m"}, defaultRequest={"cpu": "100m"})
        created = await client.create(Pod, pod("filled"))
        assert created.spec.containers[0].resources.raw == {"limits": {"cpu": "500m"}, "requests": {"cpu": "100m"}}
        assert created.status.qosClass == "Burstable"
        assert created.metadata.annotations["kubernetes.io/limit-ranger"] == (
            "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
        )
        said = await refusal(client.create(Pod, pod("p", limits={"cpu": "2"})))
        assert said == 'pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2'
        await limits(client, "b", min={"memory": "1Gi", "cpu": "1m"})
        said = await refusal(client.create(Pod, pod("p", limits={"cpu": "1", "memory": "1Mi"})))
        assert said == ('pods "p" is forbidden: minimum memory usage per Container is 1Gi, but request is 1Mi')
        other = await client.create(Pod, pod("p", "other"))
        assert not other.spec.containers[0].resources.limits

    run(story)


def test_several_reasons_are_told_at_once() -> None:
    async def story(client: Client) -> None:
        await limits(client, "a", max={"cpu": "1", "memory": "1Gi"})
        said = await refusal(client.create(Pod, pod("p", limits={"cpu": "2", "memory": "2Gi"})))
        assert said == (
            'pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, '
            "maximum memory usage per Container is 1Gi, but limit is 2Gi]"
        )

    run(story)


def test_a_pod_that_is_there_is_looked_at_when_it_is_resized() -> None:
    async def story(client: Client) -> None:
        await client.create(Pod, pod("p", requests={"cpu": "1"}, limits={"cpu": "2"}))
        await limits(client, "a", max={"cpu": "3"})
        await client.patch(Pod, "p", "default", {"metadata": {"labels": {"a": "b"}}})
        current = (await client.get(Pod, "p", "default")).literal()
        current["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "4"
        said = await refusal(client.update(Pod, current, subresource="resize"))
        assert said == 'pods "p" is forbidden: maximum cpu usage per Container is 3, but limit is 4'

    run(story)


def test_claims_of_volumes() -> None:
    def claim(storage: str) -> dict[str, Any]:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
        return {"metadata": place("c"), "spec": spec}

    async def story(client: Client) -> None:
        most = {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}
        await client.create(LimitRange, {"metadata": place("a"), "spec": {"limits": [most]}})
        said = await refusal(client.create(PersistentVolumeClaim, claim("2Gi")))
        assert said == (
            'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, '
            "but request is 2Gi"
        )
        await client.create(PersistentVolumeClaim, claim("1Gi"))

    run(story)
