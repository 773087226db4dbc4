"""Claims that come and go with a pod."""

from pathlib import Path

import pytest

from kubelet.storing import Station, pod, run
from kubelet.volumes.setting_up import FACTS
from pilothouse.kubelet.volume import VolumeError


def test_the_claim_is_the_pods_own(tmp_path: Path) -> None:
    async def story(node: Station) -> None:
        web = pod(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {}}}])
        node.api.bind("web-v", hostPath={"path": str(tmp_path)})
        with pytest.raises(VolumeError) as told:
            await node.volumes.set_up(web, FACTS)
        assert str(told.value) == (
            "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process "
            "volumes=[v]: PVC default/web-v was not created for pod default/web (pod is not owner)"
        )
        node.api.claims["web-v"]["metadata"]["ownerReferences"] = [{"uid": "uid-web", "controller": True}]
        assert (await node.volumes.set_up(web, FACTS))["v"].path == tmp_path
        await node.volumes.tear_down("uid-web")
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)
