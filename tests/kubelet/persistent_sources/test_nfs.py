"""NFS servers' directories as persistent volumes."""

from pathlib import Path

import pytest

from kubelet.storing import Station, claimed, pod, run
from kubelet.volumes.setting_up import FACTS


@pytest.mark.parametrize(("source", "asked", "options"), [
    ({}, False, "hard,nfsvers=4.1"), ({"readOnly": True}, False, "ro,hard,nfsvers=4.1"),
    ({}, True, "ro,hard,nfsvers=4.1"),
])  # fmt: skip
def test_a_directory_with_its_options(tmp_path: Path, source: dict[str, bool], asked: bool, options: str) -> None:
    async def story(node: Station) -> None:
        node.api.bind(nfs={"server": "s", "path": "/x", **source}, mountOptions=["hard", "nfsvers=4.1"])
        made = await node.volumes.set_up(pod(volumes=[claimed(read_only=asked)]), FACTS)
        assert made["v"].read_only == options.startswith("ro")
        assert node.fake_disks.done == [("mount", "s:/x", "nfs", options)]
        await node.volumes.tear_down("uid-web")
        assert node.fake_disks.done[1:] == [("unmount", "pv1")]
        assert not node.layout.pod("uid-web").exists()

    run(tmp_path, story)
