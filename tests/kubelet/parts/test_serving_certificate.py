"""The serving certificate is asked for when that is wanted, with the names of the node's status."""

from pathlib import Path

import pytest

from kubelet.identity.asking import DAY, pair
from kubelet.identity.signing import NODE, signing
from kubelet.parts.test_client_certificate import at_work
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.controllers.certificates.request import read_request
from pilothouse.kubelet.identity.node_certificates import NodeCertificates
from pilothouse.kubelet.identity.policy import CertificatePolicy
from pilothouse.kubelet.identity.store import SERVER, CertificateStore
from pilothouse.kubelet.parts.serving_certificate import ServingCertificate
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

ON = CertificatePolicy(server_tls_bootstrap=True)


def test_it_waits_for_an_administrator_and_the_kubelet_goes_on_with_what_it_has(tmp_path: Path) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        given = pair(names=("n1",))
        store = CertificateStore(tmp_path / "pki", SERVER, clock, given)
        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            node = at_work(tmp_path, clock, tasks, cluster, NODE, NodeCertificates(serving=store), ON)
            tasks.spawn(ServingCertificate().run(node), name="part")
            await clock.sleep(60)
            admin = cluster.client()
            (asked,) = (await admin.list(CertificateSigningRequest)).items
            request = read_request(asked)
            assert request is not None
            assert [str(name.value) for name in request.names] == ["n1", "10.0.0.1"]
            assert (asked.spec.signerName, asked.status.conditions) == ("kubernetes.io/kubelet-serving", ())
            assert store.current() == given
            condition = {"type": "Approved", "status": "True", "reason": "Checked", "message": ""}
            manifest = {**asked.raw, "status": {"conditions": [condition]}}
            await admin.update(CertificateSigningRequest, manifest, subresource="approval")
            await clock.sleep(5)
            tasks.cancel_all()
            assert store.current() not in (None, given)
            assert b"kubelet_certificate_manager_server_rotation_seconds_count 1.0" in node.metrics.page()

    run(story)


@pytest.mark.parametrize("policy", [CertificatePolicy(rotate_certificates=True), ON], ids=["policy", "store"])
def test_nothing_is_done_where_it_is_not_wanted(tmp_path: Path, policy: CertificatePolicy) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        store = None if policy is ON else CertificateStore(tmp_path / "pki", SERVER, clock)
        async with signing(clock, chance, DAY) as cluster, Tasks() as tasks:
            own = NodeCertificates(serving=store)
            await ServingCertificate().run(at_work(tmp_path, clock, tasks, cluster, NODE, own, policy))
            assert (await cluster.client().list(CertificateSigningRequest)).items == ()
            tasks.cancel_all()

    run(story)
