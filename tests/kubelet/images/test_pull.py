"""Whether, how and how often an image is pulled, as upstream's images/image_manager.go has it."""

import base64
import json
import re
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeObjects, Told, pod
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.images.credentials import Credential
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.images.providers import CredentialProviders
from pilothouse.kubelet.images.pull import RETRY, ImagePuller, StartError, default_tag, pull_policy
from pilothouse.kubelet.images.pull_records import PullRecords
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing import loop
from pilothouse.testing.fake_cri import FakeCri


@dataclass
class Puller:
    """One node's, without images."""

    clock: Clock

    def __post_init__(self) -> None:
        self.objects = FakeObjects()
        self.cri, self.told = FakeCri(self.clock, present={}, absent={"none:1"}), Told()
        self.images = ImagePuller(self.cri, self.objects, self.told, self.clock)

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


@pytest.mark.parametrize(("image", "expected"), [
    ("box", "box:latest"), ("box:1", "box:1"), ("team/box", "team/box:latest"), ("h:5000/box", "h:5000/box:latest"),
    ("h:5000/box:1", "h:5000/box:1"), (f"box@sha256:{'0' * 64}", f"box@sha256:{'0' * 64}"),
    ("Host/box", "Host/box:latest"),
])  # fmt: skip
def test_a_name_without_tag_or_digest_means_the_latest(image: str, expected: str) -> None:
    assert default_tag(image) == expected


@pytest.mark.parametrize(("image", "message"), [
    ("Box", "invalid reference format: repository name (library/Box) must be lowercase"),
    ("r.example/Team/box:1", "invalid reference format: repository name (Team/box) must be lowercase"),
    ("", "invalid reference format"),
    (" box", "invalid reference format"),
    ("box:", "invalid reference format"),
    ("box/", "invalid reference format"),
    ("box:a:b", "invalid reference format"),
    ("box@sha256:0", "invalid reference format"),
    ("-box", "invalid reference format"),
    ("0" * 64, f"invalid repository name ({'0' * 64}), cannot specify 64-byte hexadecimal strings"),
])  # fmt: skip
def test_what_is_no_name(image: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as found:
        default_tag(image)
    assert str(found.value) == message


@pytest.mark.parametrize(("image", "given", "expected"), [
    ("box", "", "Always"), ("box:latest", "", "Always"), ("box:1", "", "IfNotPresent"), ("box", "Never", "Never"),
    (f"box@sha256:{'0' * 64}", "", "IfNotPresent"), ("h:5000/box", "", "Always"),
])  # fmt: skip
def test_the_policy_where_none_is_given(image: str, given: str, expected: str) -> None:
    assert pull_policy(Pod(pod(containers=[{"image": image, "imagePullPolicy": given}])).spec.containers[0]) == expected


@pytest.mark.parametrize(("policy", "present", "pulled", "told"), [
    ("Always", True, True, ["Pulling", "Pulled"]),
    ("Always", False, True, ["Pulling", "Pulled"]),
    ("IfNotPresent", True, False, ["Pulled"]),
    ("IfNotPresent", False, True, ["Pulling", "Pulled"]),
    ("Never", True, False, ["Pulled"]),
])  # fmt: skip
def test_policies(policy: str, present: bool, pulled: bool, told: list[str]) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        puller.cri.pull_seconds = 1.5
        if present:
            puller.cri.present["box:1"] = Image("sha256:box:1", ("box:1",), (), 1000)
        owner = Pod(pod(containers=[{"name": "app", "image": "box:1", "imagePullPolicy": policy}]))
        assert (await puller.images.ensure(owner, owner.spec.containers[0], {})).id == "sha256:box:1"
        assert puller.cri.calls == (["pull_image box:1"] if pulled else [])
        assert puller.told.reasons() == told
        expected = (
            'Successfully pulled image "box:1" in 1.5s (1.5s including waiting). Image size: 1000 bytes.' if pulled else
            'Container image "box:1" already present on machine and can be accessed by the pod'
        )  # fmt: skip
        assert puller.told.events[-1] == ("Normal", "Pulled", expected)

    loop.run(main)


def test_a_failing_pull_is_tried_after_ten_seconds_doubling_to_five_minutes() -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller, waits = Puller(clock), []
        for _round in range(7):
            assert (await puller.refused()).reason == "ErrImagePull"
            refused = await puller.refused()
            assert refused.message == (
                'Back-off pulling image "none:1": ErrImagePull: rpc error: code = NotFound desc = '
                'failed to pull and unpack image "none:1": none:1: not found'
            )
            waits.append(round(refused.retry_at - clock.now()))
            await clock.sleep(refused.retry_at - clock.now())
        assert waits == [10, 20, 40, 80, 160, 300, 300]

    loop.run(main)


def test_a_pull_that_succeeds_or_a_pod_that_is_gone_ends_the_waiting() -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        await puller.refused()
        puller.images.forget("uid-web")
        assert (await puller.refused()).reason == "ErrImagePull"

    loop.run(main)


def docker(password: str) -> dict[str, Any]:
    content = base64.b64encode(json.dumps({"auths": {"r.example": {"username": "u", "password": password}}}).encode())
    return {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": content.decode()}}


@pytest.mark.parametrize(("named", "told"), [
    (["wrong", "right"], ["Pulling", "Pulled"]),
    (["right"], ["Pulling", "Pulled"]),
    (["none", "right"], ["Pulling", "Pulled"]),
    (["none"], ["Pulling", "FailedToRetrieveImagePullSecret", "Failed", "Failed"]),
    (["wrong"], ["Pulling", "Failed", "Failed"]),
    ([], ["Pulling", "Failed", "Failed"]),
])  # fmt: skip
def test_one_credential_after_the_other_is_tried(named: list[str], told: list[str]) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        puller.objects.secrets |= {"right": docker("sesame"), "wrong": docker("guess")}
        puller.cri.passwords["r.example/box:1"] = "sesame"
        owner = Pod(pod(containers=[{"name": "app", "image": "r.example/box:1"}],
                        imagePullSecrets=[{"name": name} for name in named]))  # fmt: skip
        refused: AbstractContextManager[object] = nullcontext()
        if told[-1] != "Pulled":
            refused = pytest.raises(StartError, match="401 Unauthorized")
        with refused:
            await puller.images.ensure(owner, owner.spec.containers[0], {})
        assert puller.told.reasons() == told

    loop.run(main)


def test_time_spent_waiting_for_others_is_told() -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        puller.cri.pull_seconds = 1.5
        async with Tasks() as tasks:
            for name in ("a:1", "b:1"):
                owner = Pod(pod(containers=[{"name": "app", "image": name}]))
                tasks.spawn(puller.images.ensure(owner, owner.spec.containers[0], {}), name=name)
            await clock.sleep(4)
        assert [message for _, reason, message in puller.told.events if reason == "Pulled"] == [
            'Successfully pulled image "a:1" in 1.5s (1.5s including waiting). Image size: 1000 bytes.',
            'Successfully pulled image "b:1" in 1.5s (3s including waiting). Image size: 1000 bytes.',
        ]

    loop.run(main)


def throttled(puller: Puller, rate: int) -> Callable[[int], Coroutine[None, None, Image]]:
    """Has one image after the other, each by the second of two secrets."""
    puller.objects.secrets |= {"right": docker("sesame"), "wrong": docker("guess")}
    puller.cri.passwords |= {f"r.example/box:{number}": "sesame" for number in range(11)}
    policy = ImagePolicy(serialize_pulls=False, pull_rate=rate)
    images = ImagePuller(puller.cri, puller.objects, puller.told, puller.clock, policy)
    secrets = [{"name": "wrong"}, {"name": "right"}]

    def ensure(number: int) -> Coroutine[None, None, Image]:
        box = {"name": "app", "image": f"r.example/box:{number}"}
        owner = Pod(pod(containers=[box], imagePullSecrets=secrets))
        return images.ensure(owner, owner.spec.containers[0], {})

    return ensure


def test_too_many_pulls_in_a_short_time_fail_as_others_do() -> None:
    # As upstream's throttledImageService: a pull counts once whatever credentials it tries.
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        ensure = throttled(puller, 5)
        for number in range(10):
            await ensure(number)
        failures = []
        for _again in range(2):
            with pytest.raises(StartError) as caught:
                await ensure(10)
            failures.append((caught.value.reason, caught.value.message))
        assert failures == [
            ("ErrImagePull", "pull QPS exceeded"),
            ("ImagePullBackOff", 'Back-off pulling image "r.example/box:10": ErrImagePull: pull QPS exceeded'),
        ]
        event = ("Warning", "Failed", 'Failed to pull image "r.example/box:10": pull QPS exceeded')
        assert event in puller.told.events
        await clock.sleep(10)
        await ensure(10)
        assert len(puller.cri.calls) == 22

    loop.run(main)


def test_pulls_need_not_be_counted() -> None:
    async def main(clock: Clock, _: Chance) -> None:
        ensure = throttled(Puller(clock), 0)
        for number in range(11):
            await ensure(number)

    loop.run(main)


class Giving(CredentialProviders):
    """A program that knows one password."""

    def __init__(self, password: str) -> None:
        self._password = password

    async def credentials(self, image: str, pod: Pod) -> list[Credential]:
        return [Credential({"username": "u", "password": self._password})]


@pytest.mark.parametrize(("named", "given"), [([], "sesame"), (["wrong"], "sesame"), (["right"], "guess")])
def test_programs_are_asked_for_credentials_too(named: list[str], given: str) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        puller.objects.secrets |= {"right": docker("sesame"), "wrong": docker("guess")}
        puller.cri.passwords["r.example/box:1"] = "sesame"
        images = ImagePuller(puller.cri, puller.objects, puller.told, clock, providers=Giving(given))
        owner = Pod(pod(containers=[{"name": "app", "image": "r.example/box:1"}],
                        imagePullSecrets=[{"name": name} for name in named]))  # fmt: skip
        await images.ensure(owner, owner.spec.containers[0], {})
        assert puller.told.reasons() == ["Pulling", "Pulled"]
        assert len(puller.cri.calls) == (2 if "wrong" in named else 1)

    loop.run(main)


@pytest.mark.parametrize(("named", "policy", "told"), [
    (["right"], "IfNotPresent", ["Pulled"]),
    (["copy"], "Never", ["Pulled"]),
    ([], "IfNotPresent", ["Pulling", "Failed", "Failed"]),
    (["wrong"], "IfNotPresent", ["Pulling", "Failed", "Failed"]),
    ([], "Never", ["ErrImageNeverPull", "Failed"]),
])  # fmt: skip
def test_what_was_pulled_with_a_secret_is_for_those_who_have_it(
    tmp_path: Path, named: list[str], policy: str, told: list[str]
) -> None:
    async def main(clock: Clock, _: Chance) -> None:
        puller = Puller(clock)
        for name, password in (("right", "sesame"), ("copy", "sesame"), ("wrong", "guess")):
            meta = {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}}
            puller.objects.secrets[name] = docker(password) | meta
        puller.cri.passwords["r.example/box:1"] = "sesame"
        records = PullRecords(tmp_path, ImagePolicy(), clock)
        images = ImagePuller(puller.cri, puller.objects, puller.told, clock, records=records)

        def owner(*secrets: str, policy: str = "IfNotPresent") -> Pod:
            box = {"name": "app", "image": "r.example/box:1", "imagePullPolicy": policy}
            return Pod(pod(containers=[box], imagePullSecrets=[{"name": name} for name in secrets]))

        first, second = owner("right"), owner(*named, policy=policy)
        await images.ensure(first, first.spec.containers[0], {})
        assert puller.told.reasons() == ["Pulling", "Pulled"]
        puller.told.events.clear()
        expected: AbstractContextManager[object] = nullcontext() if told == ["Pulled"] else pytest.raises(StartError)
        with expected:
            await images.ensure(second, second.spec.containers[0], {})
        assert puller.told.reasons() == told
        await images.review()
        puller.cri.present.clear()
        await clock.sleep(5)
        await images.review()
        assert list((tmp_path / "image_manager" / "pulled").iterdir()) == []

    loop.run(main)
