"""Gives containers the devices that their pods claim, beside what else they are given."""

from dataclasses import replace

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.contribution import Contribution, Contributor
from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.dra.claimed import has_claims
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.kubelet.environment import ConfigError


class WithClaimed:
    """`then` gives the rest."""

    def __init__(self, resources: DynamicResources, then: Contributor) -> None:
        self._resources = resources
        self._then = then

    async def contribute(self, pod: Pod, container: Container) -> Contribution:
        """What the others give it, and its devices before theirs. Raises ConfigError."""
        given = await self._then.contribute(pod, container)
        if not has_claims(pod):
            return given
        try:
            claimed = self._resources.cdi(pod, container)
        except ClaimError as error:
            raise ConfigError(str(error)) from error
        return replace(given, cdi=tuple(dict.fromkeys((*claimed, *given.cdi))))
