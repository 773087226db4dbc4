from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import Forbidden, NotFound, StatusError
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.types.core_v1 import ConfigMap, Namespace, Pod, ServiceAccount
from pilothouse.api.types.node_v1 import RuntimeClass
from pilothouse.api.types.scheduling_v1 import PriorityClass
from pilothouse.apiserver.admission.chain import AdmissionChain
from pilothouse.apiserver.admission.framework import Admission
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


@cache
def schemas() -> Schemas:
    return Schemas()


def run(story: Callable[[Client], Awaitable[None]]) -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble(admission=AdmissionChain.of(server.served, Chain(()), clock, chance))
            client = Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo())
            await client.create(Namespace, {"metadata": {"name": "default"}})
            await story(client)

    run_virtual(scenario)


def pod(**spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "example:1"}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": {"containers": [container], **spec}}


async def account(client: Client, **fields: Any) -> None:
    await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}, **fields})


async def refused(call: Awaitable[Any], kind: type[StatusError]) -> StatusError:
    with pytest.raises(kind) as error:
        await call
    return error.value


def test_names_of_plugins() -> None:
    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            names = [plugin.name for plugin in AdmissionChain.of(server.served, Chain(()), clock, chance).plugins]
            assert names[:3] == ["NamespaceLifecycle", "LimitRanger", "ServiceAccount"]
            assert names[-1] == "ResourceQuota"
            less = AdmissionChain.of(server.served, Chain(()), clock, chance, disabled=["Priority"])
            assert [plugin.name for plugin in less.plugins] == [name for name in names if name != "Priority"]
            with pytest.raises(LookupError, match="no admission plugin is called Nonsense"):
                AdmissionChain.of(server.served, Chain(()), clock, chance, enabled=["Nonsense"])

    run_virtual(scenario)


def test_nothing_new_where_there_is_no_namespace() -> None:
    async def story(client: Client) -> None:
        lost = {"metadata": {"name": "a", "namespace": "lost"}}
        assert (await refused(client.create(ConfigMap, lost), NotFound)).message == 'namespaces "lost" not found'
        await client.create(Namespace, {"metadata": {"name": "lost"}})
        await client.create(ConfigMap, lost)
        await client.delete(Namespace, "lost")
        error = await refused(client.create(ConfigMap, {"metadata": {"name": "b", "namespace": "lost"}}), Forbidden)
        assert error.message == (
            'configmaps "b" is forbidden: unable to create new content in namespace lost because it is being terminated'
        )
        assert error.details["causes"][0]["reason"] == "NamespaceTerminating"
        await client.delete(ConfigMap, "a", "lost")
        error = await refused(client.delete(Namespace, "default"), Forbidden)
        assert error.message == 'namespaces "default" is forbidden: this namespace may not be deleted'

    run(story)


def test_a_pod_gets_account_token_priority_and_tolerations() -> None:
    async def story(client: Client) -> None:
        await account(client, imagePullSecrets=[{"name": "pull"}])
        spec = (await client.create(Pod, pod())).raw["spec"]
        assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
        (volume,) = spec["volumes"]
        assert volume["name"].startswith("kube-api-access-")
        assert volume["projected"]["sources"][0]["serviceAccountToken"] == {"expirationSeconds": 3607, "path": "token"}
        (mount,) = spec["containers"][0]["volumeMounts"]
        assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
        assert spec["imagePullSecrets"] == [{"name": "pull"}]
        assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
        assert [(t["key"], t["tolerationSeconds"]) for t in spec["tolerations"]] == [
            ("node.kubernetes.io/not-ready", 300),
            ("node.kubernetes.io/unreachable", 300),
        ]

    run(story)


@pytest.mark.parametrize(("of_pod", "of_account", "mounted"), [
    (None, None, True), (False, None, False), (None, False, False), (True, False, True), (False, True, False),
])  # fmt: skip
def test_who_wants_no_token(of_pod: bool | None, of_account: bool | None, mounted: bool) -> None:
    async def story(client: Client) -> None:
        await account(client, **({} if of_account is None else {"automountServiceAccountToken": of_account}))
        wish = {} if of_pod is None else {"automountServiceAccountToken": of_pod}
        assert ("volumes" in (await client.create(Pod, pod(**wish))).raw["spec"]) == mounted

    run(story)


def test_accounts_that_are_not_there() -> None:
    async def story(client: Client) -> None:
        for name in ("default", "nobody"):
            error = await refused(client.create(Pod, pod(serviceAccountName=name)), Forbidden)
            assert error.message == (
                f'pods "web" is forbidden: error looking up service account default/{name}: '
                f'serviceaccount "{name}" not found'
            )

    run(story)


def test_a_token_mount_of_ones_own_is_left_alone() -> None:
    async def story(client: Client) -> None:
        await account(client)
        mounts = [{"name": "own", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]
        containers = [{"name": "c", "image": "example:1", "volumeMounts": mounts}]
        made = await client.create(Pod, pod(containers=containers, volumes=[{"name": "own", "emptyDir": {}}]))
        assert [volume["name"] for volume in made.raw["spec"]["volumes"]] == ["own"]

    run(story)


def test_priorities() -> None:
    async def story(client: Client) -> None:
        await account(client)
        await client.create(PriorityClass, {"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"})
        error = await refused(client.create(Pod, pod(priorityClassName="none")), Forbidden)
        assert error.message == 'pods "web" is forbidden: no PriorityClass with name none was found'
        error = await refused(client.create(Pod, pod(priorityClassName="high", priority=7)), Forbidden)
        assert "the integer value of priority (7) must not be provided in pod spec" in error.message
        spec = (await client.create(Pod, pod(priorityClassName="high"))).raw["spec"]
        assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")
        await client.delete(Pod, "web", "default")
        await client.create(PriorityClass, {"metadata": {"name": "usual"}, "value": 5, "globalDefault": True})
        spec = (await client.create(Pod, pod())).raw["spec"]
        assert (spec["priority"], spec["priorityClassName"]) == (5, "usual")

    run(story)


def test_tolerations_of_ones_own_are_kept() -> None:
    async def story(client: Client) -> None:
        await account(client)
        everything = [{"operator": "Exists"}]
        assert (await client.create(Pod, pod(tolerations=everything))).raw["spec"]["tolerations"] == everything

    run(story)


def test_what_plugins_put_into_a_pod_needs_no_defaults() -> None:
    async def story(client: Client) -> None:
        await account(client, imagePullSecrets=[{"name": "pull"}])
        await client.create(PriorityClass, {"metadata": {"name": "usual"}, "value": 7, "globalDefault": True})
        scheduling = {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "sandbox"}]}
        sandboxed = {"handler": "h", "overhead": {"podFixed": {"cpu": "0.25"}}, "scheduling": scheduling}
        await client.create(RuntimeClass, {"metadata": {"name": "sandboxed"}, **sandboxed})
        found = (await client.create(Pod, pod(runtimeClassName="sandboxed"))).raw
        assert {"volumes", "imagePullSecrets", "tolerations", "overhead", "priority"} <= found["spec"].keys()
        again = orjson.loads(orjson.dumps(found))
        resource = builtin().by_kind("", "v1", "Pod")
        assert resource is not None
        resource.default(again)
        assert again == found

    run(story)


def test_an_eviction_is_admitted_as_such_and_not_as_a_deletion() -> None:
    seen: list[tuple[str, str, str]] = []

    class Watcher(Admission):
        name = "Watcher"
        order = 1

        async def mutate(self, write: Write) -> None:
            seen.append((write.operation, write.resource.plural, write.part))

    async def scenario(clock: LoopClock, chance: Chance) -> None:
        async with MemoryStore(clock) as store, ApiServer(store, builtin(), schemas(), clock, chance) as server:
            server.assemble(admission=AdmissionChain([Watcher(server.served, Chain(()), clock, chance)]))
            client = Client(HandlerTransport(server.handle, None), builtin(), clock, memo=Memo())
            await client.create(Pod, pod())
            seen.clear()
            transport = HandlerTransport(server.handle, None)
            path = "/api/v1/namespaces/default/pods/web/eviction"
            answer = await transport.send("POST", path, {}, b'{"metadata": {"name": "web"}}')
            assert answer.status == 201
            assert seen == [("CREATE", "pods", "eviction")]

    run_virtual(scenario)
