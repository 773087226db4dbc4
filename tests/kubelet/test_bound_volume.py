"""From a claim to its volume: what must be so, and what is said where it is not."""

from pathlib import Path
from typing import Any

import pytest

from kubelet.observing import pod
from kubelet.storing import FakeStorageObjects, claimed
from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.bound_volume import BoundVolume, find_bound, remembered
from pilothouse.kubelet.volume import VolumeUnknown
from pilothouse.kubelet.volume_record import VolumeRecord
from pilothouse.testing import loop

WHERE = "error processing PVC default/data:"


def find(api: FakeStorageObjects, *, owned: bool = False, **container: Any) -> BoundVolume:
    of = pod(containers=[{"name": "app", "image": "app:1", **container}])

    async def main(_clock: object, _chance: object) -> BoundVolume:
        return await find_bound(of, Volume(claimed()), "persistent-claim", "data", api, owned=owned, read_only=False)

    return loop.run(main)


def refused(api: FakeStorageObjects, **more: Any) -> str:
    with pytest.raises(VolumeUnknown) as told:
        find(api, **more)
    return str(told.value)


@pytest.fixture
def api() -> FakeStorageObjects:
    api = FakeStorageObjects()
    api.bind(local={"path": "/disk"})
    return api


def test_a_claim_leads_to_its_volume(api: FakeStorageObjects) -> None:
    found = find(api)
    assert (found.volume, found.name, found.block, found.read_only) == ("v", "pv1", False, False)
    assert found.claim is not None
    api.volumes["pv1"]["spec"]["volumeMode"] = "Block"
    assert find(api).block


def test_what_a_claim_lacks(api: FakeStorageObjects) -> None:
    bound = api.claims["data"]
    api.claims["data"] = {**bound, "metadata": {**bound["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert refused(api) == f"{WHERE} PVC is being deleted"
    api.claims["data"] = {**bound, "status": {"phase": "Pending"}}
    assert refused(api) == f"{WHERE} PVC is not bound"
    api.claims["data"] = {**bound, "spec": {}}
    assert refused(api) == f"{WHERE} PVC has empty pvc.Spec.VolumeName"
    del api.claims["data"]
    assert refused(api) == (f'{WHERE} failed to fetch PVC from API server: persistentvolumeclaims "data" not found')


def test_what_a_volume_lacks(api: FakeStorageObjects) -> None:
    spec = api.volumes["pv1"]["spec"]
    spec["claimRef"] = {"uid": "other"}
    assert refused(api) == (
        f"{WHERE} found PV object pv1 but its pv.Spec.ClaimRef.UID other does not point to claim.UID uid-data"
    )
    del spec["claimRef"]
    assert refused(api) == (
        f"{WHERE} found PV object pv1 but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim"
    )
    del api.volumes["pv1"]
    assert refused(api) == f'{WHERE} failed to fetch PV pv1 from API server: persistentvolumes "pv1" not found'


@pytest.mark.parametrize("away", [ConnectionRefusedError("gone"), TimeoutError("gone")])
@pytest.mark.parametrize(("read", "what"), [("claim", "PVC"), ("volume", "PV pv1")])
def test_an_api_server_that_is_away(
    api: FakeStorageObjects, monkeypatch: pytest.MonkeyPatch, read: str, what: str, away: Exception
) -> None:
    async def gone(*_names: str) -> None:
        raise away

    monkeypatch.setattr(api, read, gone)
    assert refused(api) == f"{WHERE} failed to fetch {what} from API server: gone"


def test_a_file_system_is_no_device(api: FakeStorageObjects) -> None:
    devices = [{"name": "v", "devicePath": "/dev/x"}]
    assert refused(api, volumeDevices=devices) == (
        "volume v has volumeMode Filesystem, but is specified in volumeDevices"
    )
    api.volumes["pv1"]["spec"]["volumeMode"] = "Block"
    find(api, volumeDevices=devices)
    assert refused(api, volumeMounts=[{"name": "v", "mountPath": "/x"}]) == (
        "volume v has volumeMode Block, but is specified in volumeMounts"
    )


def test_a_claim_that_must_be_the_pods_own(api: FakeStorageObjects) -> None:
    foreign = "PVC default/data was not created for pod default/web (pod is not owner)"
    meta = api.claims["data"]["metadata"]
    assert refused(api, owned=True) == foreign
    meta["ownerReferences"] = [{"uid": "uid-web", "controller": False}]
    assert refused(api, owned=True) == foreign
    meta["ownerReferences"] = [{"uid": "uid-web", "controller": True}]
    assert find(api, owned=True).name == "pv1"


def test_what_is_remembered(api: FakeStorageObjects) -> None:
    found = find(api)
    record = VolumeRecord("uid-web", "persistent-claim", "v", details=found.details())
    again = remembered(record)
    assert again is not None
    assert (again.name, again.volume, again.kept_by, again.claim) == ("pv1", "v", "persistent-claim", None)
    assert again.persistent.spec.local.path == str(Path("/disk"))
    assert again.details() == found.details()
    assert remembered(VolumeRecord("uid-web", "persistent-claim", "v")) is None
