"""What an answer to a request says, and the same request made twice."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kubelet.identity.asking import DAY, pair
from kubelet.identity.signing import NODE, signing
from pilothouse.api.machinery.errors import Unauthorized
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.kubelet.identity.signing_requests import (
    CLIENT_SIGNER,
    SERVING_SIGNER,
    NotSignedError,
    ask,
    issued,
    wait,
)
from pilothouse.kubelet.identity.template import Template, client_template
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
SIGNED = base64.b64encode(pair().certificate).decode()


def request(*conditions: str, certificate: str = "", uid: str = "u") -> CertificateSigningRequest:
    found: list[dict[str, Any]] = [{"type": each, "reason": "Why", "message": "so"} for each in conditions]
    status = {"conditions": found, "certificate": certificate}
    return CertificateSigningRequest({"metadata": {"name": "asked", "uid": uid}, "status": status})


@pytest.mark.parametrize(
    ("found", "certificate"),
    [
        (request(), b""),
        (request("Approved"), b""),
        (request(certificate=SIGNED), b""),
        (request("Approved", certificate=SIGNED), pair().certificate[:27]),
    ],
    ids=["pending", "approved", "signed without approval", "issued"],
)
def test_a_certificate_counts_when_it_is_approved_and_signed(
    found: CertificateSigningRequest, certificate: bytes
) -> None:
    assert issued(found, request())[:27] == certificate


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (request("Denied"), "certificate signing request is denied, reason: Why, message: so"),
        (request("Approved", "Failed"), "certificate signing request failed, reason: Why, message: so"),
        (request(uid="other"), 'csr "asked" changed UIDs'),
    ],
)
def test_there_is_no_certificate_for_what_is_refused(found: CertificateSigningRequest, why: str) -> None:
    with pytest.raises(NotSignedError) as caught:
        issued(found, request())
    assert str(caught.value) == why


def test_a_request_under_a_name_is_made_once() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with signing(clock, chance, DAY) as cluster:
            client, template = cluster.client(), client_template("n1")
            first = await ask(client, template, KEY, CLIENT_SIGNER, clock.now(), "mine")
            again = await ask(client, template, KEY, CLIENT_SIGNER, clock.now(), "mine")
            assert first.metadata.uid == again.metadata.uid
            assert (await wait(client, clock, again, 10)).startswith(b"-----BEGIN CERTIFICATE-----")
            for other, key, now, why in (
                (template, OTHER, clock.now(), "error validating signature new CSR against old key"),
                (client_template("n2"), KEY, clock.now(), "csr subjects differ: new: CN=system:node:n1,O=system:nodes"),
                (template, KEY, clock.now() + 2 * DAY, "one of the certificates for the CSR has expired"),
            ):
                with pytest.raises(NotSignedError, match=f"retrieved csr is not compatible: {why}"):
                    await ask(client, other, key, CLIENT_SIGNER, now, "mine")

    run(story)


def test_patience_is_limited() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with signing(clock, chance, DAY) as cluster:
            node = cluster.client(NODE)
            asked = await ask(node, Template("system:node:n1", ("n1",)), KEY, SERVING_SIGNER, clock.now())
            before = clock.now()
            with pytest.raises(NotSignedError, match="timed out waiting for the condition"):
                await wait(node, clock, asked, 30)
            assert clock.now() - before == pytest.approx(30)

    run(story)


def test_the_server_may_go_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with signing(clock, chance, DAY) as cluster:
            node, away = cluster.client(NODE), [ConnectionRefusedError(111, "refused"), Unauthorized()]
            asked = await ask(node, client_template("n1"), KEY, CLIENT_SIGNER, clock.now())
            there = node.list

            async def perhaps(*args: Any, **more: Any) -> Any:
                if away:
                    raise away.pop()
                return await there(*args, **more)

            monkeypatch.setattr(node, "list", perhaps)
            assert (await wait(node, clock, asked, 10)).startswith(b"-----BEGIN CERTIFICATE-----")

    run(story)
