"""What is approved is signed, once, by whom it was asked of."""

import base64
from typing import Any

import pytest
from cryptography import x509

from controllers.certificates.asking import CLIENT, SERVING, asked, manifest, subject
from pilothouse.api.certificates.signer import LEGACY
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.client.client import Client
from pilothouse.controllers.certificates.issuing import AuthorityEndedError
from pilothouse.controllers.certificates.signers import API_CLIENT, KUBELET_CLIENT, KUBELET_SERVING
from pilothouse.controllers.certificates.signing import plan_status
from pilothouse.controllers.main import ControllersConfig
from pilothouse.net.client_certificate import common_name, is_for_clients, organizations
from pilothouse.net.pki import DAY, YEAR, Authority, KeyPair
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import EPOCH, run

AUTHORITY = Authority.create("kubernetes", EPOCH)
PAIR = KeyPair(AUTHORITY.certificate, AUTHORITY.key)
USER: dict[str, Any] = {"who": subject("ann", ("devs",)), "signer": API_CLIENT}
SERVER: dict[str, Any] = {"signer": KUBELET_SERVING, "names": ("dns", "ip"), "usages": SERVING}


def _plan(*conditions: str, **more: Any) -> dict[str, Any] | None:
    return plan_status(asked(*conditions, **more), AUTHORITY, YEAR, EPOCH)


def _certificate(encoded: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(encoded))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="a node's client certificate"),
        pytest.param(USER, id="a user's"),
        pytest.param(SERVER, id="a kubelet's serving certificate"),
        pytest.param({"signer": LEGACY, "who": (), "usages": ("cert sign",)}, id="an old request"),
    ],
)
def test_what_each_signer_signs(more: dict[str, Any]) -> None:
    planned = _plan("Approved", **more)
    assert planned is not None
    assert planned["conditions"] == [{"type": "Approved", "status": "True"}]
    _certificate(planned["certificate"]).verify_directly_issued_by(
        x509.load_pem_x509_certificate(AUTHORITY.certificate)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "more"),
    [
        pytest.param((), {}, id="not approved"),
        pytest.param(("Approved", "Denied"), {}, id="denied"),
        pytest.param(("Approved", "Failed"), {}, id="failed"),
        pytest.param(("Approved",), {"certificate": "PEM"}, id="signed"),
        pytest.param(("Approved",), {"signer": "example.com/mine"}, id="another signer's"),
        pytest.param(("Approved",), {"signer": "kubernetes.io/not-known"}, id="a name that is none of ours"),
        pytest.param(("Approved",), {"request": "no request"}, id="cannot be read"),
    ],
)
def test_what_is_left_alone(conditions: tuple[str, ...], more: dict[str, Any]) -> None:
    assert _plan(*conditions, **more) is None


def test_what_is_not_fit_for_its_signer_fails() -> None:
    planned = _plan("Approved", **{**USER, "signer": KUBELET_CLIENT})
    assert planned is not None
    assert planned["conditions"] == [
        {"type": "Approved", "status": "True"},
        {
            "type": "Failed",
            "status": "True",
            "reason": "SignerValidationFailure",
            "message": "subject organization is not system:nodes",
            "lastUpdateTime": "2026-01-01T00:00:00Z",
        },
    ]
    assert not planned["certificate"]


def test_an_authority_that_has_ended() -> None:
    with pytest.raises(AuthorityEndedError):
        plan_status(asked("Approved"), AUTHORITY, YEAR, EPOCH + 11 * YEAR)


async def _approve(client: Client, name: str, **more: Any) -> None:
    """Ask for a certificate, and allow it."""
    made = (await client.create(CertificateSigningRequest, manifest(name, **more))).literal()
    condition = {"type": "Approved", "status": "True", "reason": "Test", "message": "allowed"}
    made["status"] = {"conditions": [condition]}
    await client.update(CertificateSigningRequest, made, subresource="approval")


def test_from_request_to_certificate() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        config = ControllersConfig(signing=PAIR, signing_duration=30 * DAY)
        async with Cluster(clock, chance, manager=config) as cluster:
            client = cluster.client()
            begun = clock.now()
            await _approve(client, "ann", **USER, expirationSeconds=3600)
            await _approve(client, "node", usages=CLIENT[:2])
            await _approve(client, "serving", **SERVER)
            await _approve(client, "wrong", **{**SERVER, "usages": CLIENT})
            await client.create(CertificateSigningRequest, manifest("waits", **USER))
            await clock.sleep(5)
            ann = _certificate((await client.get(CertificateSigningRequest, "ann")).status.certificate)
            assert (common_name(ann), organizations(ann), is_for_clients(ann)) == ("ann", ("devs",), True)
            assert 0 <= ann.not_valid_after_utc.timestamp() - begun - 3600 < 5
            node = _certificate((await client.get(CertificateSigningRequest, "node")).status.certificate)
            assert 0 <= node.not_valid_after_utc.timestamp() - begun - (30 * DAY - 300) < 5
            serving = _certificate((await client.get(CertificateSigningRequest, "serving")).status.certificate)
            assert not is_for_clients(serving)
            wrong = (await client.get(CertificateSigningRequest, "wrong")).status
            assert not wrong.certificate
            assert [(each.type, each.reason) for each in wrong.conditions] == [
                ("Approved", "Test"), ("Failed", "SignerValidationFailure"),
            ]  # fmt: skip
            waits = (await client.get(CertificateSigningRequest, "waits")).status
            assert (waits.certificate, waits.conditions) == ("", ())

    run(story)


def test_what_was_signed_stays() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, manager=ControllersConfig(signing=PAIR)) as cluster:
            client = cluster.client()
            await _approve(client, "ann", **USER)
            await clock.sleep(5)
            first = (await client.get(CertificateSigningRequest, "ann")).literal()
            first["metadata"]["labels"] = {"a": "b"}
            await client.update(CertificateSigningRequest, first)
            await clock.sleep(5)
            assert (await client.get(CertificateSigningRequest, "ann")).status.certificate == (
                first["status"]["certificate"]
            )

    run(story)


def test_when_the_authority_has_ended_requests_wait() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        ended = Authority.create("ended", EPOCH - 2 * DAY, DAY)
        config = ControllersConfig(signing=KeyPair(ended.certificate, ended.key))
        async with Cluster(clock, chance, manager=config) as cluster:
            client = cluster.client()
            await _approve(client, "ann", **USER)
            await clock.sleep(700)
            status = (await client.get(CertificateSigningRequest, "ann")).status
            assert (status.certificate, [each.type for each in status.conditions]) == ("", ["Approved"])

    run(story)
