"""The API as it is served: over TLS, judged by a real API server, and reached through it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kubelet.server.harness import CLOCK, TestNode, node
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.types.core_v1 import Namespace, Node, Pod, ServiceAccount
from pilothouse.apiserver.config import ApiServerConfig
from pilothouse.apiserver.main import run as run_api_server
from pilothouse.client.client import Client
from pilothouse.client.kubeconfig import Access
from pilothouse.client.memo import Memo
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.identity.store import SERVER, CertificateStore
from pilothouse.kubelet.server.serving import ServingConfig, serving
from pilothouse.net.dial import Reply, ask, dial
from pilothouse.net.pki import Authority, KeyPair, Usage, new_signing_key
from pilothouse.net.server import Listening
from pilothouse.net.spdy_connection import spdy_connection
from pilothouse.net.stream import ConnectionStream
from pilothouse.net.tls import client_context
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.tasks import Tasks

AUTHORITY = Authority.create("test", CLOCK.now())
LOCAL = "127.0.0.1"
LINE = "2026-01-01T00:00:00Z stdout F {}\n"
POD_LOG = "/api/v1/namespaces/shop/pods/web/log"


def issue(name: str, *groups: str, usage: Usage = Usage.CLIENT) -> KeyPair:
    return AUTHORITY.issue(name, groups, addresses=(LOCAL,), usage=usage, now=CLOCK.now())


NODE = issue("system:node:n1", "system:nodes")
ADMIN = issue("kubernetes-admin", "system:masters")
STRANGER = issue("stranger")
JUDGED = [
    (None, "/healthz", 401),
    (STRANGER, "/healthz", 403),
    (NODE, "/pods", 403),
    (ADMIN, "/healthz", 200),
    (ADMIN, "/pods", 200),
    (ADMIN, "/metrics", 200),
    (ADMIN, "/nothing", 404),
]


@dataclass
class Place:
    """A kubelet's API, and the API server that judges for it."""

    node: TestNode
    kubelet: int
    api: int
    admin: Client

    async def ask(
        self, port: int, target: str, pair: KeyPair | None, method: str = "GET", **headers: str
    ) -> tuple[ConnectionStream, Reply]:
        stream = await dial(LOCAL, port, client_context(AUTHORITY.certificate, pair), CLOCK)
        fields = {name.replace("_", "-"): text for name, text in headers.items()}
        return stream, await ask(stream, method, target, {"Host": "x", **fields})


@asynccontextmanager
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    opened: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
    config = ApiServerConfig(
        state=tmp_path / "state.db",
        serving=issue("kube-apiserver", usage=Usage.SERVER),
        client_authority=AUTHORITY.certificate,
        kubelet_client=issue("kube-apiserver-kubelet-client"),
        kubelet_authority=AUTHORITY.certificate,
        service_account_key=new_signing_key(),
        host=LOCAL,
        port=0,
        advertise_address="192.0.2.1",
        disabled_admission=("ServiceAccount",),
    )
    async with Tasks() as tasks, node(tmp_path) as one:
        tasks.spawn(run_api_server(config, CLOCK, Chance(), opened.set_result), name="API server")
        api = (await opened).port
        mine = ServingConfig("n1", issue("system:node:n1", usage=Usage.SERVER), AUTHORITY.certificate, LOCAL, 0)
        async with (
            client(api, NODE) as kubelet,
            client(api, ADMIN) as admin,
            serving(mine, kubelet, one.around, str) as listening,
        ):
            await furnish(admin, listening.port)
            yield Place(one, listening.port, api, admin)


@asynccontextmanager
async def client(port: int, pair: KeyPair) -> AsyncIterator[Client]:
    access = Access(
        f"https://{LOCAL}:{port}", authorities=AUTHORITY.certificate, certificate=pair.certificate, key=pair.key
    )
    transport = access.transport(CLOCK)
    yield Client(transport, builtin(), CLOCK, memo=Memo())
    await transport.close()


async def furnish(admin: Client, port: int) -> None:
    """Have the API server know the node and its pod."""
    await admin.create(Namespace, {"metadata": {"name": "shop"}})
    await admin.create(Node, {"metadata": {"name": "n1"}})
    status = {
        "addresses": [{"type": "InternalIP", "address": LOCAL}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    await admin.patch(Node, "n1", "", {"status": status}, subresource="status")
    spec = {"nodeName": "n1", "containers": [{"name": "app", "image": "app:1"}]}
    await admin.create(Pod, {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})


def test_callers_are_judged_by_the_api_server(tmp_path: Path) -> None:
    async def main() -> None:
        async with place(tmp_path) as here:
            for pair, target, status in JUDGED:
                _, reply = await here.ask(here.kubelet, target, pair)
                assert (target, reply.status) == (target, status)
                await reply.close()

    asyncio.run(main())


def test_a_service_account_shows_its_token(tmp_path: Path) -> None:
    async def main() -> None:
        async with place(tmp_path) as here:
            account = {"metadata": {"name": "prometheus", "namespace": "shop"}}
            await here.admin.create(ServiceAccount, account)
            answer = await here.admin.create(
                ServiceAccount, {"spec": {}}, "shop", name="prometheus", subresource="token"
            )
            token = answer.raw["status"]["token"]
            _, reply = await here.ask(here.kubelet, "/metrics", None, authorization=f"Bearer {token}")
            who = b"user=system:serviceaccount:shop:prometheus, verb=get, resource=nodes, subresource(s)=[metrics]"
            assert (reply.status, await reply.read(1000)) == (403, b"Forbidden (%b)\n" % who)
            _, reply = await here.ask(here.kubelet, "/metrics", None, authorization="Bearer nonsense")
            assert (reply.status, await reply.read(1000)) == (401, b"Unauthorized")

    asyncio.run(main())


def test_a_log_is_followed_through_the_api_server(tmp_path: Path) -> None:
    async def main() -> None:
        async with place(tmp_path) as here:
            _, reply = await here.ask(here.api, f"{POD_LOG}?follow=true", ADMIN)
            assert reply.status == 200
            for text in ("one", "two", "three"):
                with here.node.log.open("a") as file:
                    file.write(LINE.format(text))
                assert await anext(reply.body) == f"{text}\n".encode()
            run = here.node.cri.runs["c1"]
            here.node.cri.runs["c1"] = replace(run, state=ContainerState.EXITED)
            assert [piece async for piece in reply.body] == []
            with pytest.raises(BadRequest, match='previous terminated container "app" in pod "web" not found'):
                await here.admin.read(f"{POD_LOG}?previous=true")

    asyncio.run(main())


def test_a_renewed_certificate_is_shown_from_then_on(tmp_path: Path) -> None:
    async def main() -> None:
        store = CertificateStore(tmp_path / "pki", SERVER, CLOCK)
        given, kept, renewed = (issue("system:node:n1", usage=Usage.SERVER) for _ in range(3))
        store.update(kept)
        own = ServingConfig("n1", given, AUTHORITY.certificate, LOCAL, 0, store)

        def shown(port: int) -> bytes:
            return ssl.get_server_certificate((LOCAL, port)).strip().encode()

        async with node(tmp_path) as one, client(1, NODE) as unused, serving(own, unused, one.around, str) as listening:
            assert await asyncio.to_thread(shown, listening.port) == kept.certificate.strip()
            store.update(renewed)
            assert await asyncio.to_thread(shown, listening.port) == renewed.certificate.strip()

    asyncio.run(main())


def test_a_command_runs_through_the_api_server(tmp_path: Path) -> None:
    async def main() -> None:
        async with place(tmp_path) as here:
            stream, reply = await here.ask(
                here.api, "/api/v1/namespaces/shop/pods/web/exec?stdin=1&stdout=1&command=cat", ADMIN, "POST",
                Connection="Upgrade", Upgrade="SPDY/3.1", X_Stream_Protocol_Version="v4.channel.k8s.io",
            )  # fmt: skip
            assert reply.status == 101
            async with spdy_connection(stream, client=True) as session:
                _, stdin, stdout = [await session.open({"streamtype": kind}) for kind in ("error", "stdin", "stdout")]
                await stdin.write(b"hello")
                assert await stdout.read() == b"hello"
            assert here.node.cri.asked == [("exec", "c1", ("cat",), True, True, False, False)]

    asyncio.run(main())
