"""Hooks as upstream runs them (pkg/kubelet/lifecycle/handlers.go)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from kubelet.probes.asking import running_container
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, HTTPGetAction, LifecycleHandler
from pilothouse.kubelet.cri.interface import ExecResult
from pilothouse.kubelet.hooks import HookError, Hooks, name_of
from pilothouse.kubelet.http_fetch import FetchError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, SystemClock
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri

CONTAINER = Container({"name": "app", "ports": [{"name": "web", "containerPort": 8080}]})
NO_HTTPS = FetchError("https://10.0.0.9:8080/stop", "http: server gave HTTP response to HTTPS client")
REFUSED = FetchError("http://10.0.0.9:8080/stop", "dial tcp 10.0.0.9:8080: connect: connection refused")


class Server:
    """Answers one after the other."""

    def __init__(self, answers: Sequence[int | OSError]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, int, list[str]]] = []

    async def fetch(self, action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
        self.asked.append((action.scheme, host, port, [header.name for header in action.httpHeaders]))
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer, ""


def _http(*answers: int | OSError, **action: Any) -> Server:
    server = Server(answers)
    asked = {"path": "/stop", "port": "web", "scheme": "HTTP", **action}
    clock = SystemClock()
    hooks = Hooks(FakeCri(clock), server.fetch, clock)
    asyncio.run(hooks.run(CONTAINER, LifecycleHandler({"httpGet": asked}), "c", "10.0.0.9"))
    return server


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_any_answer_will_do(status: int) -> None:
    assert _http(status).asked == [("HTTP", "10.0.0.9", 8080, [])]


def test_a_host_of_its_own() -> None:
    assert _http(200, host="web.test").asked == [("HTTP", "web.test", 8080, [])]


@pytest.mark.parametrize(("port", "words"), [("web", str(REFUSED)), ("nope", "couldn't find port: 'nope' in app")])
def test_no_answer_is_an_error(port: str, words: str) -> None:
    with pytest.raises(HookError) as caught:
        _http(REFUSED, port=port)
    assert str(caught.value) == words


def test_a_server_without_https_is_asked_without_it_and_told_no_secrets() -> None:
    headers: list[JsonObject] = [{"name": "Authorization", "value": "x"}, {"name": "X-Word", "value": "y"}]
    server = _http(NO_HTTPS, 200, scheme="HTTPS", httpHeaders=headers)
    assert server.asked == [
        ("HTTPS", "10.0.0.9", 8080, ["Authorization", "X-Word"]), ("HTTP", "10.0.0.9", 8080, ["X-Word"]),
    ]  # fmt: skip


def test_the_first_error_counts_where_the_second_try_fails_too() -> None:
    with pytest.raises(HookError) as caught:
        _http(NO_HTTPS, REFUSED, scheme="HTTPS")
    assert str(caught.value) == str(NO_HTTPS)


def test_commands() -> None:
    async def main() -> None:
        clock = SystemClock()
        cri = FakeCri(clock, exec_results={("stop", "now"): ExecResult(3, b"out ", b"err")})
        container = await running_container(cri)
        hooks = Hooks(cri, Server(()).fetch, clock)
        await hooks.run(CONTAINER, LifecycleHandler({"exec": {"command": ["true"]}}), container, "")
        with pytest.raises(HookError) as caught:
            await hooks.run(CONTAINER, LifecycleHandler({"exec": {"command": ["stop", "now"]}}), container, "")
        assert str(caught.value) == 'command "stop now" exited with 3: "out err"'
        with pytest.raises(HookError, match="NotFound"):
            await hooks.run(CONTAINER, LifecycleHandler({"exec": {"command": ["true"]}}), "gone", "")

    asyncio.run(main())


def test_waits_and_nothing() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        hooks = Hooks(FakeCri(clock), Server(()).fetch, clock)
        began = clock.now()
        await hooks.run(CONTAINER, LifecycleHandler({"sleep": {"seconds": 7}}), "c", "")
        assert clock.now() - began == 7
        with pytest.raises(HookError, match="cannot find any supported hook"):
            await hooks.run(CONTAINER, LifecycleHandler({}), "c", "")

    loop.run(main)


@pytest.mark.parametrize(("hook", "name"), [
    ({"exec": {"command": ["a", "b"]}}, "Exec lifecycle hook ([a b])"),
    ({"httpGet": {"path": "/x", "port": 80}}, "HTTP lifecycle hook (/x)"),
    ({"sleep": {"seconds": 3}}, "Sleep lifecycle hook (3)"),
])  # fmt: skip
def test_hooks_have_names_in_messages(hook: dict[str, Any], name: str) -> None:
    assert name_of(LifecycleHandler(hook)) == name
