"""Which images are removed when, and in which order, as upstream's images/image_gc_manager.go has it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from math import inf

import pytest

from kubelet.harness import Told, pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.applied import Mounted
from pilothouse.kubelet.cri.interface import Container, ContainerState, CriError, Image, Sandbox
from pilothouse.kubelet.images.image_gc import ImageGc, ImageGcError
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.machine import Disk
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


@dataclass(slots=True)
class Runtime(FakeCri):
    """Images that may be in use by containers, which are given by hand."""

    using: dict[str, Container] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)

    async def containers(self, uid: str = "") -> list[Container]:
        return [replace(one, mounts=()) for one in self.using.values()]

    async def container_status(self, container_id: str) -> Container:
        return self.using[container_id]

    async def sandboxes(self, uid: str = "") -> list[Sandbox]:
        return [Sandbox("s1", "web", "default", "uid-web", 0, True, 0.0)]

    async def remove_image(self, image: str) -> None:
        if image in self.stuck:
            raise CriError("UNKNOWN", f"{image} is stuck")
        await FakeCri.remove_image(self, image)

    def use(self, image: str, *mounted: str) -> None:
        mounts = tuple(Mounted("/v", "", True, image=name, image_ref=name) for name in mounted)
        made = Container(image, "s1", image, 0, ContainerState.EXITED, 0.0, image_ref=f"id-{image}", mounts=mounts)
        self.using[image] = made


class Node:
    """Images of 100 bytes each on a disk of 1000."""

    def __init__(self, clock: Clock, policy: ImagePolicy, *names: str) -> None:
        self.clock = clock
        self.cri = Runtime(clock)
        for name in names:
            self.have(name)
        self.told = Told()
        self.free = 100
        self.pods: list[Pod] = []
        self.gc = ImageGc(
            self.cri, clock, policy, lambda: Disk(1000, self.free, 0, 0), lambda *told: self.told.events.append(told)
        )

    def have(self, name: str, *, pinned: bool = False) -> None:
        tag = f"docker.io/library/{name}:1"
        self.cri.present[tag] = Image(f"id-{name}", (tag,), (f"{tag}@sha256:0{name}",), 100, pinned=pinned)

    @property
    def removed(self) -> list[str]:
        return [call.removeprefix("remove_image id-") for call in self.cri.calls]


Story = Callable[[Node], Coroutine[None, None, None]]


def run(story: Story, *names: str, policy: ImagePolicy | None = None) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        await story(Node(clock, policy or ImagePolicy(), *names))

    loop.run(main)


def test_a_disk_with_room_keeps_all() -> None:
    async def story(node: Node) -> None:
        node.free = 160
        await node.gc.collect([])
        assert (node.removed, node.told.events) == ([], [])

    run(story, "a", "b")


def test_a_full_disk_is_freed_down_to_the_low_threshold() -> None:
    async def story(node: Node) -> None:
        node.free = 50
        await node.gc.collect([])
        assert node.removed == ["a", "b"]
        assert node.gc.removed == {"age": 0, "space": 2}

    run(story, "a", "b", "c")


def test_what_is_too_little_is_told() -> None:
    async def story(node: Node) -> None:
        message = (
            "Failed to garbage collect required amount of images. Attempted to free 150 bytes, but only found 100 "
            "bytes eligible to free."
        )
        node.free = 50
        with pytest.raises(ImageGcError) as told:
            await node.gc.collect([])
        assert (str(told.value), told.value.freed) == (message, 100)
        assert node.told.events == [("Warning", "FreeDiskSpaceFailed", message)]

    run(story, "a")


def test_a_disk_without_size_is_none() -> None:
    async def story(node: Node) -> None:
        node.gc = ImageGc(node.cri, node.clock, ImagePolicy(), lambda: Disk(0, 0, 0, 0),
                          lambda *told: node.told.events.append(told))  # fmt: skip
        with pytest.raises(ImageGcError, match="invalid capacity 0 on image filesystem"):
            await node.gc.collect([])
        assert node.told.reasons() == ["InvalidDiskCapacity"]

    run(story)


def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    async def story(node: Node) -> None:
        await node.gc.look([])
        for name in ("b", "a"):
            node.cri.use(name)
            await node.clock.sleep(10)
            await node.gc.look([])
            node.cri.using.clear()
        await node.clock.sleep(10)
        node.have("new")
        await node.gc.look([])
        await node.clock.sleep(200)
        assert await node.gc.free(300, []) == 300
        assert node.removed == ["c", "new", "b"]

    run(story, "a", "b", "c")


def test_used_pinned_and_kept_images_stay() -> None:
    async def story(node: Node) -> None:
        node.have("pinned", pinned=True)
        node.cri.use("a")
        assert await node.gc.free(inf, []) == 100
        assert node.removed == ["b"]

    run(story, "a", "b", "pause", policy=ImagePolicy(kept=("pause:1",)))


@pytest.mark.parametrize("reference", ["a:1", "docker.io/a:1", "a:1@sha256:0a"])
def test_images_that_pods_have_as_volumes_stay(reference: str) -> None:
    async def story(node: Node) -> None:
        owner = Pod(pod(volumes=[{"name": "v", "image": {"reference": reference}}]))
        await node.gc.free(inf, [owner])
        assert node.removed == ["b"]

    run(story, "a", "b")


def test_what_a_container_has_mounted_stays_whatever_its_name_means_by_now() -> None:
    async def story(node: Node) -> None:
        owner = Pod(pod(volumes=[{"name": "v", "image": {"reference": "moved:1"}}]))
        node.cri.use("a", "id-b")
        await node.gc.free(inf, [owner])
        assert node.removed == ["c"]

    run(story, "a", "b", "c")


def test_what_a_container_of_an_unknown_pod_has_mounted_stays() -> None:
    """Before the API server has told of its pods, their containers run on."""

    async def story(node: Node) -> None:
        node.cri.use("a", "id-b")
        await node.gc.free(inf, [])
        assert node.removed == ["c"]

    run(story, "a", "b", "c")


def test_what_was_just_pulled_stays_for_two_minutes() -> None:
    async def story(node: Node) -> None:
        await node.gc.look([])
        node.have("new")
        await node.gc.look([])
        await node.clock.sleep(119)
        assert await node.gc.free(inf, []) == 100
        assert node.removed == ["old"]
        await node.clock.sleep(2)
        assert await node.gc.free(inf, []) == 100
        assert node.removed == ["old", "new"]

    run(story, "old")


def test_old_images_go_once_they_can_be_known_to_be() -> None:
    async def story(node: Node) -> None:
        node.free = 900
        node.cri.use("a")
        await node.gc.collect([])
        await node.clock.sleep(3599)
        node.cri.use("b")
        await node.gc.collect([])
        assert node.removed == []
        node.cri.using = {"b": node.cri.using["b"]}
        await node.clock.sleep(2)
        await node.gc.collect([])
        assert node.removed == ["c"]
        await node.clock.sleep(3600)
        await node.gc.collect([])
        assert node.removed == ["c", "a"]
        assert node.gc.removed == {"age": 2, "space": 0}

    run(story, "a", "b", "c", policy=ImagePolicy(maximum_age=3600.0))


def test_one_that_cannot_be_removed_does_not_keep_the_others() -> None:
    async def story(node: Node) -> None:
        node.cri.stuck = {"id-a"}
        with pytest.raises(ImageGcError) as told:
            await node.gc.free(150, [])
        assert str(told.value) == (
            "wanted to free 150 bytes, but freed 200 bytes space with errors in image deletion: "
            "rpc error: code = Unknown desc = id-a is stuck"
        )
        assert node.removed == ["b", "c"]

    run(story, "a", "b", "c", "d")


def test_an_old_one_that_cannot_be_removed_is_told() -> None:
    async def story(node: Node) -> None:
        node.cri.stuck = {"id-a", "id-b"}
        await node.gc.look([])
        await node.clock.sleep(3601)
        with pytest.raises(ImageGcError) as told:
            await node.gc.collect([])
        assert str(told.value) == (
            "wanted to free images older than 1h0m0s, encountered errors in image deletion: "
            "[rpc error: code = Unknown desc = id-a is stuck, rpc error: code = Unknown desc = id-b is stuck]"
        )
        assert node.removed == ["c"]

    run(story, "a", "b", "c", policy=ImagePolicy(maximum_age=3600.0))
