"""A certificate's life: asked for, granted or not, renewed, overdue, gone. In virtual time."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubelet.certifying import DAY, FakeRequests, issued, refused
from kubelet.harness import Told
from kubelet.observing import pod
from kubelet.trusting import pem
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import PodCertificateProjection
from pilothouse.kubelet.credentials import Credentials
from pilothouse.kubelet.pod_certificates import PodCertificates
from pilothouse.kubelet.volume import VolumeError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing import loop

NOT_YET = "credential bundle is not issued yet"


class Node:
    """One source of one pod's volume."""

    def __init__(self, clock: LoopClock) -> None:
        self.clock = clock
        self.requests = FakeRequests(clock.now())
        self.told = Told()
        self.certificates = PodCertificates(self.requests, self.told, clock, Chance(1))

    async def sync(self, position: int = 0, **wanted: Any) -> Credentials:
        asked = PodCertificateProjection({"signerName": "example.com/a", "keyType": "ED25519", **wanted})
        return await self.certificates.credentials(pod(), asked, "v", position)

    async def waits(self, words: str = NOT_YET) -> None:
        with pytest.raises(VolumeError) as raised:
            await self.sync()
        assert str(raised.value) == words

    def issue(self, name: str, chain: str) -> None:
        self.requests.answer(name, issued(chain, self.clock.now()))


def tell(tale: Callable[[Node], Coroutine[Any, Any, None]]) -> None:
    async def main(clock: LoopClock, _chance: object) -> None:
        await tale(Node(clock))

    loop.run(main)


@pytest.mark.parametrize(("wanted", "expected"), [
    ({}, {}),
    ({"maxExpirationSeconds": 3600}, {"maxExpirationSeconds": 3600}),
    ({"userAnnotations": {"a.com/b": "c"}}, {"unverifiedUserAnnotations": {"a.com/b": "c"}}),
])  # fmt: skip
def test_what_is_asked(wanted: JsonObject, expected: JsonObject) -> None:
    async def tale(node: Node) -> None:
        with pytest.raises(VolumeError, match=NOT_YET):
            await node.sync(**wanted)
        (made,) = node.requests.made.values()
        assert made["spec"].pop("stubPKCS10Request")
        assert made["spec"] == {"signerName": "example.com/a", **expected}

    tell(tale)


def test_it_is_asked_for_once_and_kept() -> None:
    async def tale(node: Node) -> None:
        await node.waits()
        await node.waits()
        node.issue("req-1", "one")
        first = await node.sync()
        assert first.chain.decode() == pem("one")
        assert first.key.startswith(b"-----BEGIN PRIVATE KEY-----")
        assert await node.sync() == first
        assert [*node.requests.made] == ["req-1"]

    tell(tale)


def test_each_source_has_its_own() -> None:
    async def tale(node: Node) -> None:
        node.requests.answers = issued("same", node.clock.now())
        assert (await node.sync(0)).key != (await node.sync(1)).key
        node.certificates.forget("uid-other")
        await node.sync(0)
        assert len(node.requests.made) == 2
        node.certificates.forget("uid-web")
        await node.sync(0)
        assert len(node.requests.made) == 3

    tell(tale)


def test_it_is_renewed_and_the_old_one_shown_until_then() -> None:
    async def tale(node: Node) -> None:
        node.requests.answers = issued("old", node.clock.now())
        old = await node.sync()
        await node.clock.sleep(DAY / 2 - 1)
        assert await node.sync() == old
        assert len(node.requests.made) == 1
        node.requests.answers = None
        await node.clock.sleep(301)
        waited = node.requests.waited
        assert await node.sync() == old
        assert await node.sync() == old
        assert [*node.requests.made] == ["req-1", "req-2"]
        assert node.requests.waited == waited
        node.issue("req-2", "new")
        new = await node.sync()
        assert (new.chain.decode(), new.key != old.key) == (pem("new"), True)
        assert node.told.events == []

    tell(tale)


def test_a_renewal_that_does_not_come_is_told_once() -> None:
    async def tale(node: Node) -> None:
        node.requests.answers = issued("old", node.clock.now())
        old = await node.sync()
        node.requests.fault = "no"
        await node.clock.sleep(DAY / 2 + 599)
        assert await node.sync() == old
        assert node.told.events == []
        await node.clock.sleep(302)
        for _ in range(2):
            assert await node.sync() == old
        overdue = ("Warning", "CertificateOverdueForRefresh", "PodCertificate refresh overdue")
        assert node.told.events == [overdue]
        await node.clock.sleep(DAY / 2)
        for _ in range(2):
            assert await node.sync() == old
        assert node.told.events == [overdue, ("Warning", "CertificateExpired", "PodCertificate expired")]

    tell(tale)


@pytest.mark.parametrize(("kind", "said"), [("Denied", "was denied"), ("Failed", "failed")])
def test_a_refusal_is_for_good(kind: str, said: str) -> None:
    async def tale(node: Node) -> None:
        node.requests.answers = refused(kind)
        words = rf'PodCertificateRequest was permanently {kind.lower()}: reason="Why" message="not \"you\""'
        for _ in range(2):
            await node.waits(words)
        message = rf'PodCertificateRequest default/req-1 {said}, reason="Why", message="not \"you\""'
        assert node.told.events == [("Warning", kind, message)]
        await node.clock.sleep(DAY)
        await node.waits(words)
        assert len(node.requests.made) == 1

    tell(tale)


def test_a_renewal_that_is_refused_ends_it() -> None:
    async def tale(node: Node) -> None:
        node.requests.answers = issued("old", node.clock.now())
        await node.sync()
        node.requests.answers = refused("Denied", "No", "")
        await node.clock.sleep(DAY / 2 + 300)
        await node.waits('PodCertificateRequest was permanently denied: reason="No" message=""')

    tell(tale)


def test_what_was_deleted_is_asked_for_again_after_a_while() -> None:
    async def tale(node: Node) -> None:
        await node.waits()
        del node.requests.made["req-1"]
        node.requests.made["req-0"] = {}
        await node.clock.sleep(600)
        await node.waits()
        assert [*node.requests.made] == ["req-0"]
        await node.clock.sleep(301)
        await node.waits()
        node.requests.answers = issued("one", node.clock.now())
        assert (await node.sync()).chain.decode() == pem("one")

    tell(tale)


def test_what_could_not_be_asked_is_asked_again() -> None:
    async def tale(node: Node) -> None:
        node.requests.fault = "out of order"
        await node.waits()
        node.requests.fault, node.requests.answers = "", issued("one", node.clock.now())
        assert (await node.sync()).chain.decode() == pem("one")
        with pytest.raises(VolumeError, match=NOT_YET):
            await node.sync(1, keyType="DSA")

    tell(tale)
