"""Pods that want no groups from their images."""

import pytest

from kubelet.admit.viewing import make, view
from pilothouse.kubelet.admit.supplemental_groups import SupplementalGroups
from pilothouse.kubelet.admit_handler import Refusal


@pytest.mark.parametrize(
    ("policy", "offered", "taken"),
    [("", False, True), ("Merge", False, True), ("Strict", False, False), ("Strict", True, True)],
)
def test_strict_groups_need_a_runtime_that_can_do_that(policy: str, offered: bool, taken: bool) -> None:
    pod = make(securityContext={"supplementalGroupsPolicy": policy} if policy else {})
    message = "SupplementalGroupsPolicy=Strict is not supported in this node"
    expected = None if taken else Refusal("SupplementalGroupsPolicyNotSupported", message)
    assert SupplementalGroups().refuse(pod, view(strict_groups=offered)) == expected
