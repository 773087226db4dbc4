"""Rotation in virtual time: with the API server and the controllers that approve and sign."""

import base64
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509

from kubelet.identity.asking import DAY, pair
from kubelet.identity.signing import NEWCOMER, NODE, signing
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.client.client import Client
from pilothouse.kubelet.identity.counts import Counts
from pilothouse.kubelet.identity.rotation import Life, Rotation, Wanted
from pilothouse.kubelet.identity.signing_requests import CLIENT_SIGNER, SERVING_SIGNER
from pilothouse.kubelet.identity.store import CLIENT, SERVER, CertificateStore
from pilothouse.kubelet.identity.template import Template, client_template
from pilothouse.net.pki import KeyPair
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import EPOCH, run

LIFE = 36_000.0
SERVING = Wanted(SERVING_SIGNER, Template("system:node:n1", ("n1",), ("10.0.0.1",)))
OWN = Wanted(CLIENT_SIGNER, client_template("n1"))


class Told(Counts):
    """Writes down what is counted."""

    def __init__(self) -> None:
        self.errors = 0
        self.ages: list[float] = []

    def failed(self) -> None:
        self.errors += 1

    def rotated(self, age: float) -> None:
        self.ages.append(age)


def rotation(
    store: CertificateStore, client: Client, clock: Clock, chance: Chance, wanted: Wanted = OWN,
    told: Counts | None = None,
) -> Rotation:  # fmt: skip
    return Rotation(store, wanted, lambda _: client, told or Told(), clock, chance)


async def requests(client: Client) -> list[CertificateSigningRequest]:
    found = (await client.list(CertificateSigningRequest)).items
    return sorted(found, key=lambda one: one.raw["metadata"]["creationTimestamp"])


async def decide(client: Client, asked: CertificateSigningRequest, kind: str) -> None:
    condition = {"type": kind, "status": "True", "reason": "Decided", "message": "so it is"}
    manifest = {**asked.raw, "status": {"conditions": [condition]}}
    await client.update(CertificateSigningRequest, manifest, subresource="approval")


def test_moments_lie_between_70_and_90_percent_of_a_life() -> None:
    life, chance = Life(1000.0, 2000.0), Chance(1)
    drawn = [life.rotation(chance) for _ in range(1000)]
    assert (round(min(drawn), -1), round(max(drawn), -1)) == (1700, 1900)


def test_a_node_renews_its_certificate_again_and_again(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store, told, heard = CertificateStore(tmp_path, CLIENT, clock, pair(life=LIFE)), Told(), list[float]()
        store.on_change(lambda _: heard.append(clock.now() - EPOCH))
        async with signing(clock, chance, LIFE) as cluster, Tasks() as tasks:
            tasks.spawn(rotation(store, cluster.client(NODE), clock, chance, told=told).run(), name="rotation")
            await clock.sleep(3.2 * LIFE)
            tasks.cancel_all()
            lives = [later - earlier for earlier, later in pairwise([0.0, *heard])]
            assert len(heard) >= 3
            assert all(0.69 * LIFE < life < 0.91 * LIFE for life in lives), lives
            assert all(299 < age - life < 303 for age, life in zip(told.ages, lives, strict=True))
            asked = await requests(cluster.client())
            assert {one.metadata.name[:4] for one in asked} == {"csr-"}
            assert {one.spec.usages for one in asked} == {("digital signature", "client auth")}
            assert asked[0].status.conditions[0].message == (
                "Auto approving self kubelet client certificate after SubjectAccessReview."
            )
            last = store.current()
            assert last is not None
            assert base64.b64decode(asked[-1].status.certificate).strip() == last.certificate.strip()

    run(story)


def test_who_has_none_asks_at_once_and_with_the_token(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store = CertificateStore(tmp_path, CLIENT, clock)
        ways: list[KeyPair | None] = []
        async with signing(clock, chance, LIFE) as cluster, Tasks() as tasks:
            newcomer, node = cluster.client(NEWCOMER), cluster.client(NODE)

            def way(current: KeyPair | None) -> Client:
                ways.append(current)
                return newcomer if current is None else node

            tasks.spawn(Rotation(store, OWN, way, Told(), clock, chance).run(), name="rotation")
            await clock.sleep(5)
            first = store.current()
            assert first is not None
            await clock.sleep(LIFE)
            tasks.cancel_all()
            assert [one and one.certificate for one in ways] == [None, first.certificate]
            assert [one.spec.username for one in await requests(cluster.client())] == [NEWCOMER.name, NODE.name]

    run(story)


def test_a_serving_certificate_waits_for_somebody_who_approves(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        given = pair(names=("other",))
        store, told = CertificateStore(tmp_path, SERVER, clock, given), Told()
        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            work = rotation(store, cluster.client(NODE), clock, chance, SERVING, told)
            tasks.spawn(work.run(), name="rotation")
            await clock.sleep(800)
            asked = await requests(cluster.client())
            assert [one.status.conditions for one in asked] == [()]
            assert (store.current(), told.errors) == (given, 0)
            # After a quarter of an hour it is given up, and another made.
            await clock.sleep(200)
            asked = await requests(cluster.client())
            assert (len(asked), told.errors) == (2, 1)
            await decide(cluster.client(), asked[-1], "Approved")
            await clock.sleep(5)
            tasks.cancel_all()
            found = store.current()
            assert found is not None
            assert SERVING.template.lack(found.certificate) == ""
            assert (tmp_path / "kubelet-server-current.pem").is_symlink()
            assert len(told.ages) == 1

    run(story)


@pytest.mark.parametrize("kind", ["Denied", "deleted"])
def test_a_refusal_is_heard_at_once_and_asked_again(tmp_path: Path, kind: str) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store, told = CertificateStore(tmp_path, SERVER, clock), Told()
        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            admin = cluster.client()
            tasks.spawn(rotation(store, cluster.client(NODE), clock, chance, SERVING, told).run(), name="rotation")
            await clock.sleep(1)
            (asked,) = await requests(admin)
            if kind == "deleted":
                await admin.delete(CertificateSigningRequest, asked.metadata.name)
            else:
                await decide(admin, asked, kind)
            await clock.sleep(1)
            assert told.errors == 1
            await clock.sleep(3)
            tasks.cancel_all()
            assert len(await requests(admin)) == (1 if kind == "deleted" else 2)
            assert store.current() is None

    run(story)


def test_failures_are_repeated_ever_more_seldom(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store, told = CertificateStore(tmp_path, CLIENT, clock), Told()
        seen: list[float] = []

        def way(_: KeyPair | None) -> Client:
            seen.append(clock.now())
            return stranger

        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            stranger = cluster.client(type(NODE)("stranger"))
            work = Rotation(store, OWN, way, told, clock, chance)
            tasks.spawn(work.run(), name="rotation")
            await clock.sleep(142)
            tasks.cancel_all()
            waits = [later - earlier for earlier, later in pairwise(seen)]
            for wait, least in zip(waits, (2, 4, 8, 16, 32, 32, 32), strict=True):
                assert least <= wait < least * 1.11
            assert (work.server_healthy, told.errors) == (True, len(seen))

    run(story)


def test_a_signer_of_certificates_that_are_due_at_once_is_asked_ever_more_seldom(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store, seen, life = CertificateStore(tmp_path, CLIENT, clock), list[float](), 0.001

        class Signed(Rotation):
            async def rotate(self) -> bool:
                seen.append(clock.now())
                assert len(seen) < 20
                store.update(pair(life=life, now=clock.now() - life / 2))
                await clock.sleep(0)
                return True

        async with Tasks() as tasks:
            work = Signed(store, OWN, lambda _: Client.__new__(Client), Told(), clock, chance)
            tasks.spawn(work.run(), name="rotation")
            await clock.sleep(100)
            waits = [later - earlier for earlier, later in pairwise(seen)]
            for wait, least in zip(waits, (2, 4, 8, 16, 32, 32), strict=False):
                assert least <= wait < least * 1.11
            assert len(waits) == 6
            # One that lasts is the end of that.
            life = LIFE
            await clock.sleep(40)
            count, life = len(seen), 0.001
            while len(seen) < count + 2:
                await clock.sleep(1)
            assert seen[count] - seen[count - 1] > 0.1 * LIFE
            assert 2 <= seen[-1] - seen[-2] < 2.3
            tasks.cancel_all()

    run(story)


def test_keys_are_new_each_time_and_written_as_upstream_writes_them(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store = CertificateStore(tmp_path, CLIENT, clock)
        async with signing(clock, chance, DAY) as cluster:
            work = rotation(store, cluster.client(NODE), clock, chance)
            keys = []
            for _ in range(2):
                assert await work.rotate()
                assert store.last is not None
                keys.append(store.last.key)
            assert keys[0] != keys[1]
            assert keys[0].startswith(b"-----BEGIN EC PRIVATE KEY-----\n")
            assert x509.load_pem_x509_certificate(store.path.read_bytes()).subject.rfc4514_string() == (
                "CN=system:node:n1,O=system:nodes"
            )

    run(story)
