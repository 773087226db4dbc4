"""The node's client certificate is renewed when wanted, and a kubelet without one ends."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubelet.at_work import context
from kubelet.harness import FakeNode
from kubelet.identity.asking import DAY, pair
from kubelet.identity.signing import NEWCOMER, NODE, signing
from pilothouse.apiserver.user import User
from pilothouse.kubelet.identity.node_certificates import NodeCertificates
from pilothouse.kubelet.identity.policy import CertificatePolicy
from pilothouse.kubelet.identity.store import CLIENT, CertificateStore
from pilothouse.kubelet.part import NodeContext
from pilothouse.kubelet.parts.client_certificate import ClientCertificate, IdentityLostError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import EPOCH, run

ON = CertificatePolicy(rotate_certificates=True)


def at_work(
    root: Path, clock: Clock, tasks: Tasks, cluster: Cluster, user: User, own: NodeCertificates,
    policy: CertificatePolicy = ON,
) -> NodeContext:  # fmt: skip
    node = FakeNode(root, clock, tasks)
    return replace(context(node, tasks, cluster.client(user), certificates=policy), certificates=own)


def test_it_is_renewed_while_the_kubelet_runs(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store = CertificateStore(tmp_path / "pki", CLIENT, clock, given := pair(life=36_000))
        async with signing(clock, chance, 36_000) as cluster, Tasks() as tasks:
            node = at_work(tmp_path, clock, tasks, cluster, NODE, NodeCertificates(client=store))
            tasks.spawn(ClientCertificate().run(node), name="part")
            await clock.sleep(0.69 * 36_000)
            assert store.current() == given
            assert b"kubelet_certificate_manager_client_ttl_seconds 1116" in node.metrics.page()
            await clock.sleep(0.25 * 36_000)
            tasks.cancel_all()
            found = store.current()
            assert found not in (None, given)

    run(story)


def test_the_first_is_asked_for_with_the_token(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store = CertificateStore(tmp_path / "pki", CLIENT, clock)
        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            own = NodeCertificates(client=store, bootstrap=cluster.client(NEWCOMER))
            stranger = User("system:anonymous")
            node = at_work(tmp_path, clock, tasks, cluster, stranger, own)
            tasks.spawn(ClientCertificate().run(node), name="part")
            await clock.sleep(5)
            tasks.cancel_all()
            assert store.current() is not None

    run(story)


@pytest.mark.parametrize("switch", ["policy", "store"])
def test_nothing_is_done_where_it_is_not_wanted(tmp_path: Path, switch: str) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store = CertificateStore(tmp_path / "pki", CLIENT, clock)
        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            own = NodeCertificates(client=None if switch == "store" else store)
            policy = CertificatePolicy() if switch == "policy" else ON
            await ClientCertificate().run(at_work(tmp_path, clock, tasks, cluster, NODE, own, policy))
            tasks.cancel_all()

    run(story)


@pytest.mark.parametrize(
    ("life", "answers", "ends"),
    [(600, True, 900), (600, False, 0), (0, True, 300), (0, False, 0)],
    ids=["ended, refused", "ended, unreachable", "never had one, refused", "never had one, unreachable"],
)
def test_a_kubelet_ends_that_is_nobody_to_a_server_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: int, answers: bool, ends: int
) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store = CertificateStore(tmp_path / "pki", CLIENT, clock, pair(life=life) if life else None)
        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            node = at_work(tmp_path, clock, tasks, cluster, User("stranger"), NodeCertificates(client=store))

            async def away(*_: Any, **__: Any) -> None:
                raise ConnectionRefusedError(111, "refused")

            if not answers:
                monkeypatch.setattr(node.client, "create", away)
            with pytest.raises(ExceptionGroup if ends else TimeoutError) as caught:
                async with clock.timeout(1200):
                    await ClientCertificate().run(node)
            tasks.cancel_all()
            if isinstance(caught.value, ExceptionGroup):
                (lost,) = caught.value.exceptions
                assert isinstance(lost, IdentityLostError)
                assert str(lost) == (
                    "It has been 5m0s since a valid client cert was found and the server is responsive, exiting."
                )
                assert ends <= clock.now() - EPOCH <= ends + 12

    run(story)
