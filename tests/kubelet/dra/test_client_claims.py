"""A node reads claims from the API server, which tells of devices' health what it is told."""

from typing import Any

import pytest

from kubelet.dra.claiming import claim
from pilothouse.api.machinery.errors import NotFound
from pilothouse.api.types.core_v1 import Namespace
from pilothouse.api.types.resource_v1 import ResourceClaim
from pilothouse.kubelet.dra.claim_info import ClaimInfo
from pilothouse.kubelet.dra.client_claims import ClientClaims
from pilothouse.testing.cluster import Cluster
from pilothouse.testing.loop import run


def test_claims_are_read() -> None:
    async def story(clock: Any, chance: Any) -> None:
        async with Cluster(clock, chance) as cluster:
            client, claims = cluster.client(), ClientClaims(cluster.client())
            await client.create(Namespace, {"metadata": {"name": "here"}})
            request = {"name": "gpu", "exactly": {"deviceClassName": "gpu"}}
            made = await client.create(
                ResourceClaim, {"metadata": {"name": "a"}, "spec": {"devices": {"requests": [request]}}}, "here"
            )
            manifest = {**made.literal(), "status": {"allocation": claim("a")["status"]["allocation"]}}
            await client.update(ResourceClaim, manifest, subresource="status")
            info = ClaimInfo.of(await claims.claim("here", "a"))
            assert (info.place, info.uid) == (("here", "a"), made.metadata.uid)
            assert info.devices == {"gpu.example.com": ()}
            with pytest.raises(NotFound) as told:
                await claims.claim("here", "b")
            assert told.value.message == 'resourceclaims.resource.k8s.io "b" not found'

    run(story)
