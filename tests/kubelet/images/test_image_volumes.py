"""Volumes that are images, as upstream's getImageVolumes and containerd 2.1 have them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Image, Version
from pilothouse.kubelet.images.image_volumes import mounts_images
from pilothouse.kubelet.volume import ImageMounts, VolumeError

DIGEST = "a" * 64
PULLED = 'Successfully pulled image "pictures:1" in 0s (0s including waiting). Image size: 1000 bytes.'


@dataclass
class FakeImageMounts(ImageMounts):
    """Shows images; those of `broken` it cannot."""

    shown: dict[str, str] = field(default_factory=dict)
    """What is shown, by key."""
    broken: str = ""

    async def content(self, image: str) -> str:
        return f"sha256:{DIGEST}"

    async def show(self, content: str, key: str, target: Path) -> None:
        assert target.is_dir()  # noqa: ASYNC240 - a fake
        if self.broken:
            raise VolumeError(self.broken)
        self.shown[key] = content

    async def hide(self, key: str) -> None:
        self.shown.pop(key, None)


def using(policy: str = "IfNotPresent", sub_path: str = "", **volume: Any) -> JsonObject:
    """A pod whose container mounts an image."""
    mount = {"name": "v", "mountPath": "v", **({"subPath": sub_path} if sub_path else {})}
    image = {"reference": "pictures:1", "pullPolicy": policy, **volume}
    return pod(
        containers=[{"name": "app", "image": "app:1", "imagePullPolicy": "IfNotPresent", "volumeMounts": [mount]}],
        volumes=[{"name": "v", "image": image}, {"name": "unused", "image": {"reference": "none:1"}}],
    )


def mounts_of(node: FakeNode) -> JsonObject:
    """The container's mount of the volume."""
    config = node.cri.config_of(node.state()["containerID"].removeprefix("containerd://"))
    (found,) = (mount for mount in config["mounts"] if mount["container_path"] == "/v")
    return dict(found)


@pytest.mark.parametrize("sub_path", ["", "within/it"])
def test_the_runtime_mounts_what_was_pulled(tmp_path: Path, sub_path: str) -> None:
    async def story(node: FakeNode) -> None:
        node.add(using(sub_path=sub_path) | {"metadata": using()["metadata"] | {"annotations": {"a": "b"}}})
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        assert mounts_of(node) == {
            "container_path": "/v", "host_path": "", "readonly": True, "propagation": 0, "image_sub_path": sub_path,
            "image": {
                "image": "sha256:pictures:1", "user_specified_image": "pictures:1", "annotations": {"a": "b"},
            },
        }  # fmt: skip
        assert node.told.events[:3] == [
            ("Normal", "Pulling", 'Pulling image "pictures:1"'),
            ("Normal", "Pulled", PULLED),
            ("Normal", "Pulled", 'Container image "app:1" already present on machine and can be accessed by the pod'),
        ]  # fmt: skip
        assert node.cri.calls.index("pull_image pictures:1") > node.cri.calls.index("run_sandbox")

    run(tmp_path, story)


@pytest.mark.parametrize(("policy", "present", "reference", "reason", "message"), [
    ("Never", False, "pictures:1", "ErrImageNeverPull",
     'Container image "pictures:1" is not present with pull policy of Never'),
    ("Always", True, "absent:1", "ErrImagePull", "rpc error: code = NotFound desc = failed to pull and unpack image"),
    ("IfNotPresent", False, "No", "InvalidImageName", 'Failed to apply default image tag "No": couldn\'t parse'),
])  # fmt: skip
def test_an_image_that_is_not_had_keeps_its_containers(
    tmp_path: Path, policy: str, present: bool, reference: str, reason: str, message: str
) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.absent.add("absent:1")
        if present:
            node.cri.present[reference] = Image("sha256:it", (reference,))
        node.add(using(policy, reference=reference))
        await node.until(lambda: node.state()["state"]["waiting"]["reason"] == reason)
        assert node.state()["state"]["waiting"]["message"].startswith(message)
        assert ("Warning", "Failed", f"Error: {reason}") in node.told.events
        assert not any(call.startswith("create_container") for call in node.cri.calls)

    run(tmp_path, story)


def test_each_start_looks_again(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(using("Always"))
        await node.until(lambda: "running" in node.state()["state"])
        assert node.cri.calls.count("pull_image pictures:1") == 1
        node.cri.end("app", 1)
        await node.until(lambda: node.state()["restartCount"] == 1 and "running" in node.state()["state"])
        assert node.cri.calls.count("pull_image pictures:1") == 2

    run(tmp_path, story)


class OldNode:
    """Whose containerd cannot mount images, as its version says."""

    def __init__(self, node: FakeNode) -> None:
        self.mounts = FakeImageMounts()
        node.image_mounts = self.mounts
        node.runtime = _Old(node.cri)


class _Old:
    def __init__(self, cri: Any) -> None:
        self._cri = cri

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cri, name)

    async def version(self) -> Version:
        return Version("containerd", "1.6.20~ds1", "v1")


def test_beside_a_runtime_that_cannot_they_are_directories(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        old = OldNode(node)
        node.add(using())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        place = node.layout.volume("uid-web", "image", "v") / DIGEST
        assert mounts_of(node) == {
            # It is mounted read-only already, and without `noexec` if the runtime mounted it so once more.
            "container_path": "/v", "host_path": str(place), "readonly": False, "propagation": 0,
        }  # fmt: skip
        assert old.mounts.shown == {f"image-volume-uid-web-v-{DIGEST}": f"sha256:{DIGEST}"}
        node.delete_pod("web", 0)
        await node.until(lambda: not node.pods)
        assert old.mounts.shown == {}
        await node.until(lambda: not node.layout.pod("uid-web").exists())

    run(tmp_path, story)


def test_what_fails_beside_the_runtime_is_told_as_if_it_did_it(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        old = OldNode(node)
        old.mounts.broken = "failed to view image volume: no"
        node.add(using())
        await node.until(lambda: node.state()["state"]["waiting"]["reason"] == "ImageVolumeMountFailed")
        assert node.state()["state"]["waiting"]["message"] == old.mounts.broken
        old.mounts.broken = ""
        await node.until(lambda: "running" in node.state()["state"])

    run(tmp_path, story)


@pytest.mark.parametrize(("name", "version", "can"), [
    ("containerd", "1.6.20~ds1", False), ("containerd", "1.7.27", False), ("containerd", "v2.0.5", False),
    ("containerd", "v2.1.0", True), ("containerd", "2.1.4", True), ("containerd", "3.0.0-beta.0", True),
    ("containerd", "unknown", True), ("cri-o", "1.31.0", True),
])  # fmt: skip
def test_who_mounts_images(name: str, version: str, can: bool) -> None:
    assert mounts_images(Version(name, version, "v1")) is can
