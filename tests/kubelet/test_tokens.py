"""When a pod's token is asked for anew, as upstream's token manager has it."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubelet.harness import FakeObjects
from kubelet.observing import pod
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.authentication_v1 import TokenRequest
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.tokens import Tokens
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop

HOUR = 3600.0


class Server(FakeObjects):
    broken = False

    async def token(self, pod: Pod, request: JsonObject) -> TokenRequest:
        if self.broken:
            raise StatusError("no server")
        return await super().token(pod, request)


def run(story: Callable[[Clock, Server, Tokens], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: Clock, _chance: object) -> None:
        server = Server(clock=clock)
        await story(clock, server, Tokens(server, clock))

    loop.run(main)


@pytest.mark.parametrize(("seconds", "kept", "renewed"), [
    (3600, 0.79 * HOUR, 0.81 * HOUR), (600, 479, 481), (10 * 86_400, 86_399, 86_401),
])  # fmt: skip
def test_a_token_is_renewed_when_a_fifth_is_left_or_after_a_day(seconds: int, kept: float, renewed: float) -> None:
    async def story(clock: Clock, server: Server, tokens: Tokens) -> None:
        assert await tokens.get(pod(), "", seconds) == "token-1"
        await clock.sleep(kept)
        assert await tokens.get(pod(), "", seconds) == "token-1"
        await clock.sleep(renewed - kept)
        assert await tokens.get(pod(), "", seconds) == "token-2"

    run(story)


def test_what_is_asked_for() -> None:
    async def story(clock: Clock, server: Server, tokens: Tokens) -> None:
        await tokens.get(pod(), "", 3600)
        await tokens.get(pod(), "vault", 600)
        bound = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "uid-web"}
        assert server.tokens == [
            {"expirationSeconds": 3600, "boundObjectRef": bound},
            {"expirationSeconds": 600, "boundObjectRef": bound, "audiences": ["vault"]},
        ]

    run(story)


def test_a_token_that_cannot_be_renewed_serves_as_long_as_it_is_good() -> None:
    async def story(clock: Clock, server: Server, tokens: Tokens) -> None:
        await tokens.get(pod(), "", 3600)
        server.broken = True
        await clock.sleep(0.9 * HOUR)
        assert await tokens.get(pod(), "", 3600) == "token-1"
        await clock.sleep(0.2 * HOUR)
        with pytest.raises(StatusError):
            await tokens.get(pod(), "", 3600)

    run(story)


def test_a_pod_that_is_gone_leaves_no_token() -> None:
    async def story(clock: Clock, server: Server, tokens: Tokens) -> None:
        await tokens.get(pod(), "", 3600)
        tokens.forget("uid-other")
        assert await tokens.get(pod(), "", 3600) == "token-1"
        tokens.forget("uid-web")
        assert await tokens.get(pod(), "", 3600) == "token-2"

    run(story)
