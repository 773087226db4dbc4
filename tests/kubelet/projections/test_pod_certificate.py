"""A pod is shown who it is: key and certificates of one issue, changed at once."""

from pathlib import Path

import pytest

from kubelet import harness
from kubelet.certifying import issued, refused
from kubelet.harness import FakeNode
from kubelet.observing import pod
from kubelet.trusting import pem
from kubelet.volumes.setting_up import Place, mode, texts
from kubelet.volumes.test_projected import ME, one
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.volume import VolumeError
from pilothouse.testing.loop import EPOCH


def source(**paths: str) -> JsonObject:
    return {"podCertificate": {"signerName": "example.com/a", "keyType": "ECDSAP256", **paths}}


BUNDLE = source(credentialBundlePath="all.pem", keyPath="key.pem", certificateChainPath="chain.pem")


def test_three_files_of_one_issue(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.requests.answers = issued("one", EPOCH)
    shown = texts(place.set_up(pod(volumes=one(BUNDLE)))["v"])
    assert shown["all.pem"] == shown["key.pem"] + shown["chain.pem"]
    assert shown["key.pem"].startswith("-----BEGIN PRIVATE KEY-----")
    assert shown["chain.pem"] == pem("one")


def test_only_what_is_wanted_for_whom_it_is_meant(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.requests.answers = issued("one", EPOCH)
    wanted = one(source(keyPath="key.pem"), source(certificateChainPath="chain.pem"))
    made = place.set_up(pod(securityContext={"runAsUser": ME}, volumes=wanted))
    assert texts(made["v"]).keys() == {"key.pem", "chain.pem"}
    assert len(place.requests.made) == 2
    assert mode(made["v"] / "key.pem") == 0o600


def test_a_refusal_is_said(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.requests.answers = refused("Failed", "Why", "")
    words = 'PodCertificateRequest was permanently failed: reason="Why" message=""'
    with pytest.raises(VolumeError, match=f'^MountVolume.SetUp failed for volume "v" : {words}$'):
        place.set_up(pod(volumes=one(BUNDLE)))


def test_a_pod_starts_when_it_has_it_and_gets_the_next_in_time(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(harness.pod(volumes=one(BUNDLE)))
        await node.until(lambda: bool(node.requests.made))
        await node.until(lambda: "FailedMount" in node.told.reasons())
        assert node.pods["web"].status.phase == "Pending"
        node.requests.answer("req-1", issued("old", node.clock.now(), 120))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        shown = node.layout.volume("uid-web", "projected", "v")
        old = texts(shown)
        assert old["chain.pem"] == pem("old")
        node.requests.answers = issued("new", node.clock.now())
        await node.until(lambda: (shown / "chain.pem").read_text() == pem("new"))
        new = texts(shown)
        assert new["key.pem"] != old["key.pem"]
        assert new["all.pem"] == new["key.pem"] + new["chain.pem"]
        assert len(node.requests.made) == 2
        node.delete_pod("web", 1)
        await node.until(lambda: "web" not in node.pods)
        node.add(harness.pod(volumes=one(BUNDLE)))
        await node.until(lambda: len(node.requests.made) == 3)

    harness.run(tmp_path, story)
