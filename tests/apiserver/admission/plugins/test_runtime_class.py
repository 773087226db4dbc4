"""RuntimeClass admission. Source: plugin/pkg/admission/runtimeclass/admission_test.go, pkg/util/tolerations."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Forbidden
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.core_v1 import Pod
from pilothouse.api.types.node_v1 import RuntimeClass
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.admission.framework import Admission
from pilothouse.apiserver.admission.plugins.runtime_class import RuntimeClass as Plugin
from pilothouse.apiserver.admission.plugins.runtime_class import merge_tolerations
from pilothouse.apiserver.authorization.framework import Chain
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.server import ApiServer
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run as run_virtual

ANY = {"operator": "Exists"}
KEY = {"key": "k", "operator": "Exists", "effect": "NoSchedule"}
VALUE = {"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[Client], Awaitable[None]], *others: type[Admission]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            kinds: list[type[Admission]] = [Plugin, *others]
            plugins = [kind(server.served, Chain(()), clock, chance) for kind in kinds]
            server.assemble(admission=AdmissionChain(plugins))
            await story(Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo()))

    run_virtual(scenario)


def pod(**spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "example:1"}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": {"containers": [container], **spec}}


async def sandboxed(client: Client, **fields: Any) -> None:
    await client.create(RuntimeClass, {"metadata": {"name": "sandboxed"}, "handler": "runsc", **fields})


async def refusal(client: Client, **spec: Any) -> str:
    with pytest.raises(Forbidden) as error:
        await client.create(Pod, pod(**spec))
    return error.value.message


def test_without_the_class_there_is_no_pod() -> None:
    async def story(client: Client) -> None:
        said = await refusal(client, runtimeClassName="sandboxed")
        assert said == 'pods "web" is forbidden: pod rejected: RuntimeClass "sandboxed" not found'
        await sandboxed(client)
        created = (await client.create(Pod, pod(runtimeClassName="sandboxed"))).raw["spec"]
        assert created["runtimeClassName"] == "sandboxed"
        assert created.keys().isdisjoint({"overhead", "nodeSelector", "tolerations"})

    run(story)


def test_a_pod_takes_over_what_its_class_says() -> None:
    async def story(client: Client) -> None:
        await sandboxed(
            client,
            overhead={"podFixed": {"memory": "120Mi", "cpu": "250m"}},
            scheduling={"nodeSelector": {"sandbox": "yes"}, "tolerations": [KEY]},
        )
        asked = pod(runtimeClassName="sandboxed", nodeSelector={"disk": "ssd"}, tolerations=[VALUE])
        created = (await client.create(Pod, asked)).raw["spec"]
        assert created["overhead"] == {"memory": "120Mi", "cpu": "250m"}
        assert created["nodeSelector"] == {"disk": "ssd", "sandbox": "yes"}
        assert created["tolerations"] == [KEY]

    run(story)


def test_overhead_is_the_class_s_own() -> None:
    async def story(client: Client) -> None:
        unasked = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        assert unasked in await refusal(client, overhead={"cpu": "1"})
        await sandboxed(client, overhead={"podFixed": {"cpu": "250m"}})
        differs = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        assert differs in await refusal(client, runtimeClassName="sandboxed", overhead={"cpu": "1"})
        assert differs in await refusal(client, runtimeClassName="sandboxed", overhead={"memory": "1Mi"})
        await client.create(Pod, pod(runtimeClassName="sandboxed", overhead={"cpu": "0.25"}))

    run(story)


def test_a_later_plugin_may_not_change_the_overhead() -> None:
    class Meddler(Admission):
        name = "Meddler"
        order = 1000

        async def mutate(self, write: Write) -> None:
            if write.resource.plural == "pods" and write.new is not None:
                write.new["spec"]["overhead"] = {"cpu": "9"}

    async def story(client: Client) -> None:
        await sandboxed(client, overhead={"podFixed": {"cpu": "250m"}})
        assert "doesn't match" in await refusal(client, runtimeClassName="sandboxed")

    run(story, Meddler)


def test_another_node_than_the_class_s_is_refused() -> None:
    async def story(client: Client) -> None:
        await sandboxed(client, scheduling={"nodeSelector": {"sandbox": "yes"}})
        said = await refusal(client, runtimeClassName="sandboxed", nodeSelector={"sandbox": "no"})
        assert said.endswith(
            "conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no"
        )

    run(story)


@pytest.mark.parametrize(
    ("given", "merged"),
    [
        ([], []),
        ([VALUE, VALUE], [VALUE]),
        ([VALUE, KEY], [KEY]),
        ([KEY, VALUE], [KEY]),
        ([KEY, ANY, VALUE], [ANY]),
        ([VALUE, {**VALUE, "value": "w"}], [VALUE, {**VALUE, "value": "w"}]),
        ([VALUE, {**VALUE, "key": "l"}], [VALUE, {**VALUE, "key": "l"}]),
        ([VALUE, {**VALUE, "effect": "NoExecute"}], [VALUE, {**VALUE, "effect": "NoExecute"}]),
        ([{"key": "k", "value": "v"}, VALUE], [{"key": "k", "value": "v"}]),
        (
            [{**KEY, "effect": "NoExecute", "tolerationSeconds": 5}, {**KEY, "effect": "NoExecute"}],
            [{**KEY, "effect": "NoExecute"}],
        ),
        (
            [{**KEY, "effect": "NoExecute", "tolerationSeconds": 5}, {**VALUE, "effect": "NoExecute"}],
            [{**KEY, "effect": "NoExecute", "tolerationSeconds": 5}, {**VALUE, "effect": "NoExecute"}],
        ),
    ],
)
def test_of_two_tolerations_the_wider_is_kept(given: list[dict[str, Any]], merged: list[dict[str, Any]]) -> None:
    assert merge_tolerations(given) == merged
