"""A pod is shown whom to trust, and waits for it."""

from pathlib import Path

import pytest

from kubelet import harness
from kubelet.harness import FakeNode
from kubelet.observing import pod
from kubelet.trusting import bundle, pem
from kubelet.volumes.setting_up import GROUP, Place, mode, texts
from kubelet.volumes.test_projected import ME, one
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.volume import VolumeError

NAMED = {"clusterTrustBundle": {"name": "plain", "path": "roots.pem"}}


def signed(**fields: object) -> JsonObject:
    return {"clusterTrustBundle": {"signerName": "example.com/a", "path": "roots.pem", **fields}}


@pytest.mark.parametrize(("source", "expected"), [
    (NAMED, pem("plain")),
    (signed(labelSelector={}), pem("signed")),
    (signed(labelSelector={"matchLabels": {"live": "yes"}}), pem("signed")),
    (signed(labelSelector={"matchLabels": {"live": "no"}}, optional=True), ""),
    (signed(optional=True), ""),
    ({"clusterTrustBundle": {"name": "none", "path": "roots.pem", "optional": True}}, ""),
])  # fmt: skip
def test_one_file(tmp_path: Path, source: JsonObject, expected: str) -> None:
    place = Place(tmp_path)
    place.bundles.add(bundle("plain", pem("plain")))
    place.bundles.add(bundle("example.com:a:1", pem("signed"), "example.com/a", live="yes"))
    made = place.set_up(pod(volumes=one(source)))
    assert texts(made["v"]) == {"roots.pem": expected}
    assert mode(made["v"] / "roots.pem") == 0o644


@pytest.mark.parametrize(("context", "expected"), [({"runAsUser": ME}, 0o600), ({"fsGroup": GROUP}, 0o640)])
def test_who_may_read_it(tmp_path: Path, context: JsonObject, expected: int) -> None:
    place = Place(tmp_path)
    place.bundles.add(bundle("plain", pem("plain")))
    made = place.set_up(pod(securityContext=context, volumes=one(NAMED)))
    assert mode(made["v"] / "roots.pem") == expected


def test_all_that_fails_is_said(tmp_path: Path) -> None:
    missing = 'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "plain" not found'
    nothing = "combination of signerName and labelSelector matched zero ClusterTrustBundles"
    with pytest.raises(VolumeError) as raised:
        Place(tmp_path).set_up(pod(volumes=one(NAMED, signed(), NAMED)))
    assert str(raised.value) == f'MountVolume.SetUp failed for volume "v" : [{missing}, {nothing}]'


def test_more_than_a_hundred_in_one_volume(tmp_path: Path) -> None:
    place = Place(tmp_path)
    names = [f"b{number}" for number in range(150)]
    for name in names:
        place.bundles.add(bundle(name, pem(name)))
    sources: list[JsonObject] = [{"clusterTrustBundle": {"name": name, "path": f"{name}.pem"}} for name in names]
    assert texts(place.set_up(pod(volumes=one(*sources)))["v"]) == {f"{name}.pem": pem(name) for name in names}


def test_a_pod_waits_and_then_follows(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(harness.pod(volumes=one(NAMED)))
        await node.until(lambda: "FailedMount" in node.told.reasons())
        assert node.pods["web"].status.phase == "Pending"
        node.bundles.add(bundle("plain", pem("old")))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        shown = node.layout.volume("uid-web", "projected", "v") / "roots.pem"
        assert shown.read_text() == pem("old")
        node.bundles.add(bundle("plain", pem("new"), version=2))
        await node.until(lambda: shown.read_text() == pem("new"))

    harness.run(tmp_path, story)
