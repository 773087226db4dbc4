"""A pod's claims, by its spec and its status."""

from typing import Any

import pytest

from kubelet.dra.claiming import claim
from kubelet.observing import pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.api.types.resource_v1 import ResourceClaim
from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.dra.claimed import Claimed, claimed, has_claims, require_own

META = {"uid": "uid-web", "name": "web", "namespace": "default"}
NAMED = {"name": "gpu", "resourceClaimName": "mine"}
MADE = {"name": "gpu", "resourceClaimTemplateName": "template"}


def having(*references: dict[str, Any], **status: Any) -> Pod:
    found = pod(metadata=META, resourceClaims=list(references))
    return Pod({**found.raw, "status": status})


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (having(), []),
        (having(NAMED), [Claimed("mine")]),
        (having(MADE, resourceClaimStatuses=[{"name": "gpu", "resourceClaimName": "web-gpu-x"}]),
         [Claimed("web-gpu-x", own=True)]),
        (having(MADE, NAMED, resourceClaimStatuses=[{"name": "gpu"}]), [Claimed("mine")]),
        (having(extendedResourceClaimStatus={"resourceClaimName": "made", "requestMappings": []}), [Claimed("made")]),
    ],
)  # fmt: skip
def test_the_claims_of_a_pod(one: Pod, expected: list[Claimed]) -> None:
    assert list(claimed(one)) == expected
    assert has_claims(one) == bool(expected)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (having(MADE), 'pod "default/web": ResourceClaim not created yet'),
        # Assumed: the wording of the last part.
        (having({"name": "gpu"}), 'pod "default/web", spec.resourceClaim "gpu": none of the supported fields are set'),
    ],
)
def test_claims_that_are_not_there(one: Pod, expected: str) -> None:
    with pytest.raises(ClaimError) as told:
        list(claimed(one))
    assert str(told.value) == expected


def test_whose_a_claim_is() -> None:
    def owned(**owner: Any) -> ResourceClaim:
        return ResourceClaim(claim("made", ownerReferences=[owner]))

    require_own(having(MADE), owned(uid="uid-web", controller=True))
    for foreign in (owned(uid="uid-other", controller=True), owned(uid="uid-web")):
        with pytest.raises(ClaimError) as told:
            require_own(having(MADE), foreign)
        assert str(told.value) == ("ResourceClaim default/made was not created for Pod default/web (Pod is not owner)")
