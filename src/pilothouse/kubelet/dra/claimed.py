"""Which claims a pod has, and which parts of them its containers use: pure.

A claim made from a template has its name in the pod's status; so has the one that the scheduler makes for extended
resources. Upstream: staging/src/k8s.io/dynamic-resource-allocation/resourceclaim/claim.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.types.core_v1 import Container, Pod, PodResourceClaim
from pilothouse.api.types.resource_v1 import ResourceClaim
from pilothouse.kubelet.dra.claim_info import ClaimError


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that a pod has."""

    name: str
    own: bool = False
    """Whether it must have been made for this pod."""


def has_claims(pod: Pod) -> bool:
    """Whether it has any. Of most pods this is all that is asked."""
    return bool(pod.spec.resourceClaims) or bool(pod.status.extendedResourceClaimStatus)


def claimed(pod: Pod) -> Iterator[Claimed]:
    """The pod's claims; where it turned out that it needs none there is none. Raises ClaimError."""
    for reference in pod.spec.resourceClaims:
        if (found := _named(pod, reference)) is not None:
            yield found
    if extended := pod.status.extendedResourceClaimStatus:
        yield Claimed(extended.resourceClaimName)


def used(pod: Pod, container: Container) -> dict[str, list[str]]:
    """Which requests of which claims a container uses; an empty request stands for all. Raises ClaimError."""
    asked: dict[str, list[str]] = {}
    for use in container.resources.claims:
        asked.setdefault(use.name, []).append(use.request)
    found: dict[str, list[str]] = {}
    for reference in pod.spec.resourceClaims:
        if reference.name in asked and (one := _named(pod, reference)) is not None:
            found.setdefault(one.name, []).extend(asked[reference.name])
    if extended := pod.status.extendedResourceClaimStatus:
        wanted = {name for name, size in container.resources.requests.items() if parse_quantity(size).value()}
        for mapping in extended.requestMappings:
            if mapping.containerName == container.name and mapping.resourceName in wanted:
                found.setdefault(extended.resourceClaimName, []).append(mapping.requestName)
    return found


def claim_name(pod: Pod, name: str) -> str:
    """The claim that is called so in the pod's spec; empty when it needs none. Raises ClaimError."""
    found = [_named(pod, reference) for reference in pod.spec.resourceClaims if reference.name == name]
    return next((one.name for one in found if one is not None), "")


def require_own(pod: Pod, claim: ResourceClaim) -> None:
    """Raises ClaimError unless the claim was made for the pod."""
    if any(owner.controller and owner.uid == pod.metadata.uid for owner in claim.metadata.ownerReferences):
        return
    meta, of = claim.metadata, pod.metadata
    raise ClaimError(
        f"ResourceClaim {meta.namespace}/{meta.name} was not created for Pod {of.namespace}/{of.name} "
        "(Pod is not owner)"
    )


def require_reserved(pod: Pod, claim: ResourceClaim) -> None:
    """Raises ClaimError unless the claim is kept for the pod."""
    if any(consumer.uid == pod.metadata.uid for consumer in claim.status.reservedFor):
        return
    raise ClaimError(
        f"pod {pod.metadata.name} ({pod.metadata.uid}) is not allowed to use ResourceClaim {claim.metadata.name} "
        f"({claim.metadata.uid})"
    )


def _named(pod: Pod, reference: PodResourceClaim) -> Claimed | None:
    where = f'pod "{pod.metadata.namespace}/{pod.metadata.name}"'
    if reference.resourceClaimName:
        return Claimed(reference.resourceClaimName)
    if not reference.resourceClaimTemplateName:
        raise ClaimError(f'{where}, spec.resourceClaim "{reference.name}": none of the supported fields are set')
    for made in pod.status.resourceClaimStatuses:
        if made.name == reference.name:
            return Claimed(made.resourceClaimName, own=True) if made.resourceClaimName else None
    raise ClaimError(f"{where}: ResourceClaim not created yet")
