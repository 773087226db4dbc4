"""What a driver wants."""

from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Pod
from pilothouse.api.types.storage_v1 import CSIDriver
from pilothouse.kubelet.csi.wishes import Wishes
from pilothouse.kubelet.volume import Ownership

POD = Pod({"spec": {"securityContext": {"fsGroupChangePolicy": "OnRootMismatch"}}})


def of(**spec: Any) -> Wishes:
    return Wishes.of(CSIDriver({"spec": spec}))


def test_a_driver_without_an_object() -> None:
    found = Wishes.of(None)
    assert (found.attach, found.pod_info, found.republish, found.tokens) == (True, False, False, ())
    assert found.mode_complaint("Persistent", "d") == ""
    assert found.mode_complaint("Ephemeral", "d").endswith("(no CSIDriver object)")


def test_what_an_object_says() -> None:
    assert of().attach
    assert not of(attachRequired=False).attach
    assert of(tokenRequests=[{"audience": "a"}, {"audience": "b", "expirationSeconds": 9}]).tokens == (
        ("a", 3600), ("b", 9),
    )  # fmt: skip
    assert of(volumeLifecycleModes=["Persistent", "Ephemeral"]).mode_complaint("Ephemeral", "d") == ""


@pytest.mark.parametrize(("policy", "kind", "once", "read_only", "given"), [
    ("None", "ext4", True, False, False), ("File", "", False, False, True), ("File", "", True, True, False),
    ("ReadWriteOnceWithFSType", "ext4", True, False, True), ("ReadWriteOnceWithFSType", "", True, False, False),
    ("ReadWriteOnceWithFSType", "ext4", False, False, False), ("", "ext4", True, False, True),
    ("ReadWriteOnceWithFSType", "ext4", True, True, False),
])  # fmt: skip
def test_whose_volume_it_is(policy: str, kind: str, once: bool, read_only: bool, given: bool) -> None:
    found = of(fsGroupPolicy=policy).ownership(POD, kind, once=once, read_only=read_only)
    assert found is (Ownership.ON_ROOT_MISMATCH if given else Ownership.NONE)
