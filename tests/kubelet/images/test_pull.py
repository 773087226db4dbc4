from dataclasses import dataclass

import pytest

from kubelet.harness import FakeObjects, Told, pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.images.pull import RETRY, ImagePuller, StartError
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


@dataclass
class Puller:
    """One node's, without images."""

    clock: Clock

    def __post_init__(self) -> None:
        self.cri, self.told = FakeCri(self.clock, present={}, absent={"none:1"}), Told()
        self.images = ImagePuller(self.cri, FakeObjects(), self.told, self.clock)

    async def refused(self, **container: str) -> StartError:
        owner = Pod(pod(containers=[{"name": "app", "image": "none:1", **container}]))
        with pytest.raises(StartError) as caught:
            await self.images.ensure(owner, owner.spec.containers[0], {})
        return caught.value


@pytest.mark.parametrize(
    ("container", "reason"),
    [({"imagePullPolicy": "Never"}, "ErrImageNeverPull"),
     ({"image": "no name"}, "InvalidImageName"), ({}, "ErrImagePull")],
)  # fmt: skip
def test_why_it_cannot_start_is_told_as_an_event_too(container: dict[str, str], reason: str) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        assert (await puller.refused(**container)).reason == reason
        assert puller.told.events[-1] == ("Warning", "Failed", f"Error: {reason}")

    loop.run(main)


def test_the_wait_for_the_next_pull_is_told() -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        await puller.refused()
        assert (await puller.refused()).reason == "ImagePullBackOff"
        assert puller.told.events[-2:] == [
            ("Normal", "BackOff", 'Back-off pulling image "none:1"'),
            ("Warning", "Failed", "Error: ImagePullBackOff"),
        ]

    loop.run(main)


def test_what_no_pull_can_mend_is_not_tried_every_second() -> None:
    """Each try is an event, and of those that a pod may have in a while there would soon be none left."""

    async def main(clock: Clock, _: Chance) -> None:
        refused = await Puller(clock).refused(imagePullPolicy="Never")
        assert refused.retry_at == clock.now() + RETRY

    loop.run(main)
