"""A server with all that runs beside it: on its way up, at work, and on its way down."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.schema import Schemas
from pilothouse.apiserver.audit.backend import Mode
from pilothouse.apiserver.audit.policy import PolicyError
from pilothouse.apiserver.authentication.in_process import InProcessAuthenticator
from pilothouse.apiserver.config import ApiServerConfig, AuditConfig
from pilothouse.apiserver.handlers.authenticate import authenticate
from pilothouse.apiserver.operations import HOOKS, Operations
from pilothouse.apiserver.server import ApiServer
from pilothouse.apiserver.user import MASTERS_GROUP, User
from pilothouse.client.client import Client
from pilothouse.client.memo import Memo
from pilothouse.client.transport import HandlerTransport
from pilothouse.net.pki import KeyPair, SigningKey
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run

ITSELF = User("system:apiserver", (MASTERS_GROUP,))
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, users: [system:apiserver]}
- {level: Metadata}
"""


def config(**more: Any) -> ApiServerConfig:
    pair = KeyPair(b"", b"")
    return ApiServerConfig(
        state=Path("none"), serving=pair, client_authority=b"", kubelet_client=pair, kubelet_authority=b"",
        service_account_key=SigningKey(b"", b""), advertise_address="192.0.2.1", **more,
    )  # fmt: skip


class Fixture:
    def __init__(self, server: ApiServer, operations: Operations, clock: LoopClock) -> None:
        self.operations = operations
        self.clock = clock
        self.client = Client(HandlerTransport(server.handle, ITSELF), builtin(), clock, memo=Memo())
        self._me = HandlerTransport(server.handle, User("me"))

    async def ask(self, target: str) -> tuple[int, str]:
        answer = await self._me.send("GET", target, {})
        return answer.status, answer.body.decode()


def tell(story: Callable[[Fixture], Awaitable[None]], configuration: ApiServerConfig) -> None:
    async def whole(clock: LoopClock, chance: Chance) -> None:
        async with (
            MemoryStore(clock) as store,
            ApiServer(store, builtin(), Schemas(), clock, chance) as server,
            Operations(configuration, server) as operations,
        ):
            server.assemble(
                outer=operations.outer,
                steps=(authenticate(InProcessAuthenticator()), *operations.audit, operations.priority),
                live=operations.life.live(),
                ready=operations.life.ready(),
            )
            await story(Fixture(server, operations, clock))

    run(whole)


def test_it_is_ready_once_the_cluster_has_what_it_begins_with() -> None:
    async def story(api: Fixture) -> None:
        assert (await api.ask("/livez"))[0] == 500
        await api.operations.begin(api.client, ITSELF)
        status, text = await api.ask("/readyz?verbose")
        assert status == 200
        assert [line for line in text.splitlines() if "poststarthook" in line] == [
            f"[+]poststarthook/{hook} ok" for hook in HOOKS
        ]
        status, text = await api.ask("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas")
        assert len(orjson.loads(text)["items"]) == 13

    tell(story, config())


def test_before_it_ends_it_says_that_it_is_not_ready_and_serves_on() -> None:
    async def story(api: Fixture) -> None:
        await api.operations.begin(api.client, ITSELF)
        withdrawn: list[float] = []

        async def serve() -> None:
            async with api.operations.serving_on():
                try:
                    await api.operations.until_cancelled()
                finally:
                    withdrawn.append(api.clock.monotonic())

        async with Tasks() as tasks:
            serving = tasks.spawn(serve(), name="serving")
            await api.clock.sleep(100)
            assert (await api.ask("/readyz"))[0] == 200
            begin = api.clock.monotonic()
            serving.cancel()
            await api.clock.sleep(1)
            assert (await api.ask("/readyz"))[0] == 500
            assert (await api.ask("/livez"))[0] == 200
            assert (await api.ask("/version"))[0] == 200
            with pytest.raises(asyncio.CancelledError):
                await serving
            assert api.clock.monotonic() - begin == 30.0
            assert withdrawn == [begin], "its address goes first: the delay is for those who still know it"

    tell(story, config(shutdown_delay=30.0))


def test_what_is_audited_is_in_the_file(tmp_path: Path) -> None:
    policy, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
    policy.write_text(POLICY)

    async def story(api: Fixture) -> None:
        await api.operations.begin(api.client, ITSELF)
        assert not log.exists(), log.read_text()
        await api.ask("/version")
        events = [orjson.loads(line) for line in log.read_bytes().splitlines()]
        assert [event["stage"] for event in events] == ["RequestReceived", "ResponseComplete"]
        assert {event["user"]["username"] for event in events} == {"me"}

    tell(story, config(audit=AuditConfig(policy=policy, log=log, mode=Mode.BLOCKING)))


def test_a_policy_that_is_none_is_refused(tmp_path: Path) -> None:
    async def story(api: Fixture) -> None:
        raise AssertionError("it must not begin")

    with pytest.raises(ExceptionGroup) as caught:
        tell(story, config(audit=AuditConfig(policy=tmp_path / "none", log=tmp_path / "audit.log")))
    assert caught.value.subgroup(PolicyError) is not None
