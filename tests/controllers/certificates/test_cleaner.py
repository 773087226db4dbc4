"""Which requests go, and when."""

import base64
from typing import Any

import pytest

from controllers.certificates.asking import manifest
from fakes.certificates import BEGIN, certificate_pem
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.client.client import Client
from pilothouse.controllers.certificates.cleaner import CleanerController, why_not_kept
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, format_time
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run

NOW = BEGIN.timestamp()
HOUR = 3600.0
GOOD = base64.b64encode(certificate_pem(hours=24).encode()).decode()
SHORT = base64.b64encode(certificate_pem(hours=0.5).encode()).decode()


def _goes(condition: str, age: float, certificate: str = "", **more: Any) -> bool:
    """Whether a request goes that was made at NOW and got its only condition then, when it has this age."""
    since = format_time(NOW)
    status: dict[str, Any] = {"certificate": certificate}
    if condition:
        status["conditions"] = [{"type": condition, "status": "True", "lastUpdateTime": since, **more}]
    found = {"metadata": {"name": "asked", "creationTimestamp": since}, "status": status}
    return bool(why_not_kept(CertificateSigningRequest(found), NOW + age))


@pytest.mark.parametrize(
    ("condition", "certificate", "stays"),
    [
        pytest.param("", "", 24 * HOUR, id="pending"),
        pytest.param("Denied", "", HOUR, id="denied"),
        pytest.param("Failed", "", HOUR, id="failed"),
        pytest.param("Approved", GOOD, HOUR, id="signed"),
        pytest.param("Approved", SHORT, HOUR / 2, id="signed, and ended since"),
        pytest.param("Approved", base64.b64encode(b"no PEM").decode(), HOUR, id="signed with what cannot be read"),
    ],
)
def test_how_long_a_request_stays(condition: str, certificate: str, stays: float) -> None:
    assert not _goes(condition, stays, certificate)
    assert _goes(condition, stays + 1, certificate)


@pytest.mark.parametrize("condition", ["Approved", "Other"])
def test_what_waits_for_its_certificate_stays(condition: str) -> None:
    assert not _goes(condition, 1000 * HOUR)


def test_a_denial_of_which_nobody_knows_the_time_stays() -> None:
    assert not _goes("Denied", 1000 * HOUR, lastUpdateTime=None)


async def _make(client: Client, name: str, condition: str = "", certificate: str = "") -> None:
    made = (await client.create(CertificateSigningRequest, manifest(name))).literal()
    if condition:
        made["status"] = {"conditions": [{"type": condition, "status": "True", "reason": "Test"}]}
        made = (await client.update(CertificateSigningRequest, made, subresource="approval")).literal()
    if certificate:
        made["status"]["certificate"] = certificate
        await client.update(CertificateSigningRequest, made, subresource="status")


def test_it_looks_around_every_hour() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[CleanerController]) as cluster:
            client = cluster.client()

            async def names() -> list[str]:
                return sorted(each.metadata.name for each in (await client.list(CertificateSigningRequest)).items)

            await clock.sleep(1)
            await _make(client, "signed", "Approved", GOOD)
            await _make(client, "ended", "Approved", SHORT)
            await _make(client, "denied", "Denied")
            await _make(client, "waits", "Approved")
            await _make(client, "pending")
            await clock.sleep(HOUR)
            assert await names() == ["denied", "pending", "signed", "waits"]
            await clock.sleep(HOUR)
            assert await names() == ["pending", "waits"]
            await clock.sleep(22 * HOUR)
            assert await names() == ["pending", "waits"]
            await clock.sleep(HOUR)
            assert await names() == ["waits"]

    run(story)


def test_what_cannot_be_deleted_keeps_nothing_else() -> None:
    async def story(clock: LoopClock, chance: Chance) -> None:
        async with Cluster(clock, chance, controllers=[CleanerController]) as cluster:
            client = cluster.client()
            held = {**manifest("held"), "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
            await client.create(CertificateSigningRequest, held)
            await _make(client, "pending")
            await clock.sleep(25 * HOUR + 1)
            assert [each.metadata.name for each in (await client.list(CertificateSigningRequest)).items] == ["held"]

    run(story)
