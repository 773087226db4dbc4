"""Which certificates are shown, in which order, and what is said when there are none."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubelet.trusting import FakeTrustBundles, bundle, pem
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.certificates_v1 import ClusterTrustBundle
from pilothouse.client.informer import Informer
from pilothouse.client.key import Key
from pilothouse.kubelet import trust_anchors
from pilothouse.kubelet.trust_anchors import InformedTrustBundles, TrustAnchors, anchors
from pilothouse.kubelet.volume import VolumeError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop

SIGNER, OTHER = "example.com/a", "example.com/b"
Tale = Callable[[TrustAnchors, FakeTrustBundles], Coroutine[Any, Any, None]]


def cluster() -> FakeTrustBundles:
    known = FakeTrustBundles()
    known.add(bundle("plain", pem("one", "two")))
    known.add(bundle("example.com:a:1", pem("one"), SIGNER, live="yes"))
    known.add(bundle("example.com:a:2", pem("two", "one"), SIGNER, live="no"))
    known.add(bundle("example.com:b:1", pem("three"), OTHER, live="yes"))
    return known


def tell(tale: Tale, seed: int = 1) -> None:
    async def main(_clock: Clock, _chance: object) -> None:
        known = cluster()
        await tale(TrustAnchors(known, Chance(seed)), known)

    loop.run(main)


def shown(text: bytes) -> set[str]:
    """The texts of the blocks."""
    names = ("one", "two", "three", "four")
    return {name for name in names if pem(name).encode() in text}


def test_each_certificate_is_shown_once_and_nothing_else() -> None:
    text = "# who\n" + pem("one", "two", "one") + "between\n" + pem("two", "three")
    found = anchors([text, pem("one")], b"salt")
    assert shown(found) == {"one", "two", "three"}
    assert len(found) == len(pem("one", "two", "three"))


def test_long_ones_are_broken_into_lines_of_64() -> None:
    (first, line, *_, last) = anchors([pem("x" * 100)], b"").decode().splitlines()
    assert (first, last, len(line)) == ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", 64)


def test_the_order_is_the_same_for_a_life_and_another_in_the_next() -> None:
    texts = [pem(str(number)) for number in range(10)]
    assert anchors(texts, b"a") == anchors(texts[::-1], b"a")
    assert len({anchors(texts, salt) for salt in (b"a", b"b", b"c")}) == 3


def test_every_start_has_its_order() -> None:
    found = set()

    async def tale(trust: TrustAnchors, known: FakeTrustBundles) -> None:
        known.add(bundle("many", pem(*map(str, range(10)))))
        found.add(await trust.by_name("many", optional=False))

    for seed in (1, 2, 2):
        tell(tale, seed)
    assert len(found) == 2


@pytest.mark.parametrize(("labels", "expected"), [
    ({}, {"one", "two"}),
    ({"matchLabels": {"live": "yes"}}, {"one"}),
    ({"matchExpressions": [{"key": "live", "operator": "In", "values": ["no"]}]}, {"one", "two"}),
    ({"matchLabels": {"live": "perhaps"}}, None),
    (None, None),
])  # fmt: skip
def test_a_signers_bundles_are_selected_by_labels(labels: JsonObject | None, expected: set[str] | None) -> None:
    async def tale(trust: TrustAnchors, _known: FakeTrustBundles) -> None:
        if expected is not None:
            assert shown(await trust.by_signer(SIGNER, labels, optional=False)) == expected
            return
        assert await trust.by_signer(SIGNER, labels, optional=True) == b""
        words = "^combination of signerName and labelSelector matched zero ClusterTrustBundles$"
        with pytest.raises(VolumeError, match=words):
            await trust.by_signer(SIGNER, labels, optional=False)

    tell(tale)


def test_a_bundle_by_its_name() -> None:
    async def tale(trust: TrustAnchors, _known: FakeTrustBundles) -> None:
        assert shown(await trust.by_name("plain", optional=False)) == {"one", "two"}
        assert shown(await trust.by_name("example.com:b:1", optional=False)) == {"three"}
        assert await trust.by_name("none", optional=True) == b""
        words = 'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "none" not found'
        with pytest.raises(VolumeError, match=words):
            await trust.by_name("none", optional=False)

    tell(tale)


def test_changes_are_followed() -> None:
    async def tale(trust: TrustAnchors, known: FakeTrustBundles) -> None:
        async def both() -> tuple[set[str], set[str]]:
            named = await trust.by_name("example.com:a:1", optional=True)
            return shown(named), shown(await trust.by_signer(SIGNER, {}, optional=True))

        assert await both() == ({"one"}, {"one", "two"})
        known.add(bundle("example.com:a:1", pem("four"), SIGNER, version=2))
        assert await both() == ({"four"}, {"one", "two", "four"})
        del known.bundles["example.com:a:2"]
        assert await both() == ({"four"}, {"four"})
        del known.bundles["example.com:a:1"]
        assert await both() == (set(), set())

    tell(tale)


def test_what_has_not_changed_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def counting(texts: Any, salt: bytes) -> bytes:
        read.append(salt)
        return anchors(texts, salt)

    async def tale(trust: TrustAnchors, known: FakeTrustBundles) -> None:
        for _ in range(3):
            await trust.by_name("plain", optional=False)
            await trust.by_signer(SIGNER, {}, optional=False)
        assert len(read) == 2
        for number in range(300):
            known.add(bundle(f"b{number}", pem("one")))
            await trust.by_name(f"b{number}", optional=False)
        await trust.by_name("plain", optional=False)
        assert len(read) == 2 + 300 + 1

    monkeypatch.setattr(trust_anchors, "anchors", counting)
    tell(tale)


def test_what_cannot_be_asked() -> None:
    many: JsonObject = {"matchLabels": {f"key-{number}": "v" * 63 for number in range(1700)}}

    async def tale(trust: TrustAnchors, known: FakeTrustBundles) -> None:
        with pytest.raises(VolumeError, match=r"^label selector length \(\d+\) is larger than 102400$"):
            await trust.by_signer(SIGNER, many, optional=True)
        known.known = False
        for asked in (trust.by_name("plain", optional=True), trust.by_signer(SIGNER, {}, optional=True)):
            with pytest.raises(VolumeError, match="ClusterTrustBundle informer has not yet synced"):
                await asked

    tell(tale)


def test_the_informer_is_started_by_the_first_who_asks_and_waited_for_a_while() -> None:
    started: list[Informer[ClusterTrustBundle]] = []

    def start() -> Informer[ClusterTrustBundle]:
        started.append(Informer())
        return started[-1]

    async def main(clock: Clock, _chance: object) -> None:
        known = InformedTrustBundles(start, clock)
        assert not started
        before = clock.now()
        assert not await known.synced()
        assert clock.now() - before == pytest.approx(2)
        (informer,) = started
        informer._synced.set()
        assert await known.synced()
        one = bundle("example.com:a:1", pem("one"), SIGNER)
        informer.lister._put(Key("", "example.com:a:1"), one)
        assert known.get("example.com:a:1") is one
        assert known.get("other") is None
        assert [*known.of_signer(SIGNER)] == [one]
        assert [*known.of_signer(OTHER)] == []
        assert len(started) == 1

    loop.run(main)
