"""Programs that give credentials: whom they are asked for, and for how long their answers count."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import pod
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.authentication_v1 import TokenRequest
from pilothouse.api.types.core_v1 import Pod, ServiceAccount
from pilothouse.kubelet.images.provider_config import Provider, TokenAttributes
from pilothouse.kubelet.images.providers import CredentialProviders
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop

V1 = "credentialprovider.kubelet.k8s.io/v1"
WEB = Pod(pod(serviceAccountName="shop"))
RESPONSE = {"apiVersion": V1, "kind": "CredentialProviderResponse"}


class Station:
    """A node with one program, which notes what it is asked."""

    def __init__(self, root: Path, clock: Clock, answer: str, **more: Any) -> None:
        self.clock = clock
        self.asked_for = root / "asked"
        program = root / "giver"
        program.write_text(f"#!/bin/sh\ncat >> {self.asked_for}; echo >> {self.asked_for}\n{answer}\n")
        program.chmod(0o755)
        self.annotations: dict[str, str] = {"a": "1"}
        self.tokens: list[JsonObject] = []
        known = {"images": ("*.example", "docker.io"), "cached": 60.0, **more}
        self.providers = CredentialProviders(
            [Provider("giver", V1, program=str(program), **known)], self._account, self._token, clock
        )

    async def _account(self, namespace: str, name: str) -> ServiceAccount:
        if name == "none":
            raise NotFound('serviceaccounts "none" not found')
        meta = {"name": name, "namespace": namespace, "uid": "7", "annotations": self.annotations}
        return ServiceAccount({"metadata": meta})

    async def _token(self, owner: Pod, request: JsonObject) -> TokenRequest:
        self.tokens.append(request)
        return TokenRequest({"status": {"token": f"token-{len(self.tokens)}"}})

    async def users(self, image: str = "r.example/team/box:1", owner: Pod = WEB) -> list[str]:
        return [one.auth["username"] for one in await self.providers.credentials(image, owner)]

    @property
    def asked(self) -> list[JsonObject]:
        return [json.loads(line) for line in self.asked_for.read_text().splitlines()] if self.asked_for.exists() else []


def answering(kind: str = "Image", duration: str | None = None, **more: Any) -> str:
    auth = {"r.example": {"username": "u", "password": "p"}, "r.example/team": {"username": "v", "password": "q"}}
    answer = {**RESPONSE, "cacheKeyType": kind, "auth": auth, **more}
    return f"echo '{json.dumps(answer | ({'cacheDuration': duration} if duration else {}))}'"


def run(
    root: Path, story: Callable[[Station], Coroutine[None, None, None]], answer: str | None = None, **more: Any
) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        await story(Station(root, clock, answer or answering(), **more))

    loop.run(main)


def test_one_program_is_asked_about_the_repository_alone(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        assert [one.auth for one in await node.providers.credentials("r.example/team/box:1", WEB)] == [
            {"username": "v", "password": "q", "identity_token": ""},
            {"username": "u", "password": "p", "identity_token": ""},
        ]
        assert await node.users("r.example/other@sha256:0") == ["u"]
        assert await node.users("box") == []
        asked = [question["image"] for question in node.asked]
        assert asked == ["r.example/team/box", "r.example/other", "docker.io/library/box"]
        assert node.asked[0] == {
            "apiVersion": V1, "kind": "CredentialProviderRequest", "image": "r.example/team/box",
        }  # fmt: skip

    run(tmp_path, story)


def test_of_other_images_it_is_not_asked(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        assert await node.users("r.other/box:1") == []
        assert node.asked == []

    run(tmp_path, story)


@pytest.mark.parametrize(("kind", "asked"), [("Image", 3), ("Registry", 2), ("Global", 1)])
def test_for_which_images_an_answer_counts(tmp_path: Path, kind: str, asked: int) -> None:
    async def story(node: Station) -> None:
        for image in ("r.example/team/box:1", "r.example/team/box:2", "r.example/other", "s.example/box"):
            await node.users(image)
        assert len(node.asked) == asked

    run(tmp_path, story, answering(kind))


@pytest.mark.parametrize(("duration", "seconds"), [(None, 60.0), ("5s", 5.0), ("0s", 0.0)])
def test_for_how_long_an_answer_counts(tmp_path: Path, duration: str | None, seconds: float) -> None:
    async def story(node: Station) -> None:
        await node.users()
        await node.users()
        assert len(node.asked) == (1 if seconds else 2)
        await node.clock.sleep(seconds + 1)
        await node.users()
        assert len(node.asked) == (2 if seconds else 3)

    run(tmp_path, story, answering(duration=duration))


def test_who_comes_while_it_is_asked_waits_for_the_answer(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        assert [*await asyncio.gather(node.users(), node.users())] == [["v", "u"], ["v", "u"]]
        assert len(node.asked) == 1

    run(tmp_path, story)


@pytest.mark.parametrize("answer", [
    "echo no luck >&2; exit 3", "echo '{'", "echo '[]'", answering(apiVersion=f"{V1}beta1"), answering(kind="Pod"),
    answering(kind="Image", auth=[1]), answering("Never"), "true",
])  # fmt: skip
def test_what_fails_gives_nothing(tmp_path: Path, answer: str) -> None:
    async def story(node: Station) -> None:
        assert await node.users() == []
        assert len(node.asked) == 1

    run(tmp_path, story, answer)


def test_arguments_and_variables(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        assert await node.users("r.example/x") == ["get-1"]

    auth = '{\\"r.example\\": {\\"username\\": \\"$1-$X\\", \\"password\\": \\"\\"}}'
    answer = f'echo "{{\\"apiVersion\\": \\"{V1}\\", \\"kind\\": \\"CredentialProviderResponse\\", '
    run(tmp_path, story, answer + f'\\"cacheKeyType\\": \\"Image\\", \\"auth\\": {auth}}}"',
        arguments=("get",), environment=(("X", "1"),))  # fmt: skip


@pytest.mark.parametrize(("cache", "asked"), [("ServiceAccount", 1), ("Token", 2)])
def test_a_program_that_is_told_of_service_accounts(tmp_path: Path, cache: str, asked: int) -> None:
    async def story(node: Station) -> None:
        for _ in range(2):
            assert await node.users() == ["v", "u"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "uid-web"}
        assert node.tokens[0] == {"audiences": ["r.example"], "boundObjectRef": bound}
        assert node.asked[0] == {
            "apiVersion": V1, "kind": "CredentialProviderRequest", "image": "r.example/team/box",
            "serviceAccountToken": "token-1", "serviceAccountAnnotations": {"a": "1"},
        }  # fmt: skip
        assert len(node.asked) == asked
        node.annotations["a"] = "2"
        await node.users()
        assert len(node.asked) == asked + 1

    run(tmp_path, story, token=TokenAttributes("r.example", True, ("a",), ("b",), cache))


@pytest.mark.parametrize(("account", "required", "keys", "asked"), [
    ("", True, (), False), ("", False, (), True), ("shop", True, ("missing",), False), ("none", True, (), False),
    ("shop", True, ("a",), True),
])  # fmt: skip
def test_for_whom_it_is_asked(tmp_path: Path, account: str, required: bool, keys: tuple[str, ...], asked: bool) -> None:
    async def story(node: Station) -> None:
        await node.users(owner=Pod(pod(serviceAccountName=account)))
        assert bool(node.asked) is asked
        if not account:
            assert node.tokens == []

    run(tmp_path, story, token=TokenAttributes("r.example", required, keys))
