"""Images that are corrupt and registries that refuse or stall, on a real runtime: the status says so, others go on."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fakes.faulty_registry import HOST, FaultyRegistry, serve, stand_in
from kubelet.harness import FakeNode, pod
from kubelet.left_on_node import left_by
from kubelet.test_faults_on_containerd import SLEEP, answers, beside
from kubelet.test_on_containerd import machine, run, shell  # noqa: F401 - `machine` is a fixture
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.containerd import ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient

pytestmark = pytest.mark.node
REFUSED = "refused.test"
FAULTS = {
    "altered": "unexpected commit digest", "hangup": "EOF", "nomanifest": "failed to",
    "wrongmanifest": "failed to", "notar": "failed to", "nogzip": "failed to", "noconfig": "failed to",
    "unauthorized": "401 Unauthorized", "forbidden": "403 Forbidden", "missing": "not found",
    "broken": "500 Internal Server Error",
}  # fmt: skip
"""What the status says, besides the image's name."""


@pytest.fixture
def registry(machine: ContainerdConfig) -> Iterator[FaultyRegistry]:  # noqa: F811
    """A registry of corrupt images, and one that nobody listens for."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    with serve(Path(busybox)) as registry:
        stand_in(HOST, registry.url, machine.registry_config)
        stand_in(REFUSED, "http://127.0.0.1:1", machine.registry_config)
        yield registry


def wanting(name: str, image: str) -> JsonObject:
    return pod(name, terminationGracePeriodSeconds=0,
               containers=[{**shell(SLEEP), "image": image, "imagePullPolicy": "IfNotPresent"}])  # fmt: skip


def waits(node: FakeNode, name: str) -> tuple[str, str]:
    """Reason and message of the container that does not start."""
    waiting = node.state(name)["state"].get("waiting", {})
    return waiting.get("reason", ""), waiting.get("message", "")


async def all_told(node: FakeNode, reason: str, names: Iterable[str]) -> dict[str, str]:
    """The messages that the pods' containers have with this reason, sooner or later."""
    wanted, told = set(names), dict[str, str]()

    def all_have() -> bool:
        told.update({name: waits(node, name)[1] for name in wanted - set(told) if waits(node, name)[0] == reason})
        return set(told) == wanted

    try:
        await node.until(all_have, 40)
    except TimeoutError:
        pytest.fail(f"not told: { {name: node.state(name)['state'] for name in wanted - set(told)} }")
    return told


def test_what_is_corrupt_or_refused_is_told_and_nothing_of_it_stays(
    machine: ContainerdConfig, registry: FaultyRegistry, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(node: FakeNode, cri: CriClient) -> None:
        before = {image.id for image in await cri.images()}
        await beside(node)
        images = {fault: f"{HOST}/{fault}:1" for fault in FAULTS} | {"away": f"{REFUSED}/x:1"}
        for fault, image in images.items():
            node.add(wanting(fault, image))
        told = await all_told(node, "ErrImagePull", images)
        wrong = {name: told[name] for name in images
                 if {**FAULTS, "away": "connection refused"}[name] not in told[name] or images[name] not in told[name]
                 or not told[name].startswith("rpc error: code = ")}  # fmt: skip
        assert wrong == {}
        for name, said in (await all_told(node, "ImagePullBackOff", images)).items():
            assert said == f'Back-off pulling image "{images[name]}": ErrImagePull: {told[name]}'
            assert node.pods[name].status.phase == "Pending"
        node.add(wanting("good", f"{HOST}/good:1"))
        await node.until(lambda: node.pods["good"].status.phase == "Running", 20)
        await answers(node, cri)
        here = {tag for image in await cri.images() if image.id not in before for tag in image.tags}
        assert here == {f"{HOST}/good:1"}
        await cri.remove_image(f"{HOST}/good:1")

    with left_by(machine):
        run(machine, tmp_path, story)


def test_a_registry_that_stalls_holds_up_nobody_else_and_no_pods_end(
    machine: ContainerdConfig, registry: FaultyRegistry, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(node: FakeNode, cri: CriClient) -> None:
        node.add(wanting("web", f"{HOST}/stalled:1"))
        await node.until(registry.stalled.is_set, 20)
        await beside(node)
        await answers(node, cri)
        assert waits(node, "web")[0] == "ContainerCreating"
        assert node.pods["web"].status.phase == "Pending"
        assert ("Normal", "Pulling", f'Pulling image "{HOST}/stalled:1"') in node.told.events
        began = node.clock.monotonic()
        node.delete_pod("web", 0)
        await node.until(lambda: "web" not in node.pods, 20)
        assert node.clock.monotonic() - began < 20
        assert not registry.let_go.is_set()
        await answers(node, cri)

    with left_by(machine):
        run(machine, tmp_path, story)


def test_a_registry_that_goes_on_after_all_is_waited_for(
    machine: ContainerdConfig, registry: FaultyRegistry, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async def story(node: FakeNode, cri: CriClient) -> None:
        for name in ("web", "other"):
            node.add(wanting(name, f"{HOST}/stalled:1"))
        await node.until(registry.stalled.is_set, 20)
        node.delete_pod("web", 0)  # the pull may have been made for this one
        await node.until(lambda: "web" not in node.pods, 20)
        registry.let_go.set()
        await node.until(lambda: node.pods["other"].status.phase == "Running", 20)
        await cri.remove_image(f"{HOST}/stalled:1")

    with left_by(machine):
        run(machine, tmp_path, story)
