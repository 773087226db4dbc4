"""Read-only with all that lies below: asked for, given where the runtime can, and told as it came about."""

from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.types.core_v1 import Container, ContainerStatus, VolumeMount
from pilothouse.kubelet.cri.applied import Mounted
from pilothouse.kubelet.cri.features import Handler
from pilothouse.kubelet.cri.interface import Container as Run
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.recursive_read_only import container_path, resolve, told_mounts, wanted

WHY = 'failed to resolve recursive read-only mode: volume "v" requested recursive read-only mode, but it is not'


def mount(mode: str = "", path: str = "/v", **more: Any) -> VolumeMount:
    return VolumeMount({
        "name": "v", "mountPath": path, "readOnly": True, **({"recursiveReadOnly": mode} if mode else {}), **more,
    })  # fmt: skip


@pytest.mark.parametrize(("mode", "able", "deep"), [
    ("", True, False), ("Disabled", True, False), ("IfPossible", True, True), ("IfPossible", False, False),
    ("Enabled", True, True),
])  # fmt: skip
def test_a_mount_is_so_where_it_is_asked_for_and_can_be(mode: str, *, able: bool, deep: bool) -> None:
    assert resolve(mount(mode), able=able) is deep
    assert wanted([mount(), mount(mode)]) is (mode in ("IfPossible", "Enabled"))


@pytest.mark.parametrize(("mode", "more", "able", "message"), [
    ("Enabled", {}, False, f"{WHY} supported by the runtime"),
    ("IfPossible", {"readOnly": False}, True, f"{WHY} read-only"),
    ("Enabled", {"mountPropagation": "Bidirectional"}, True, f'{WHY} compatible with propagation "Bidirectional"'),
    ("Often", {}, True, 'failed to resolve recursive read-only mode: unknown recursive read-only mode "Often"'),
])  # fmt: skip
def test_what_cannot_be_is_said(mode: str, more: dict[str, Any], *, able: bool, message: str) -> None:
    with pytest.raises(ConfigError) as told:
        resolve(mount(mode, **more), able=able)
    assert str(told.value) == message
    assert resolve(mount("Enabled", mountPropagation="None"), able=True)


def test_a_run_tells_what_came_of_it() -> None:
    mounts = [mount("Enabled", "v").raw, mount("IfPossible", "/w").raw, mount(path="/x", readOnly=False).raw]
    of = Container({"name": "app", "volumeMounts": mounts})
    made = Run("1", "box", "app", 0, ContainerState.RUNNING, 0.0, mounts=(Mounted("/v", recursive_read_only=True),))
    told = told_mounts(of, made, ContainerStatus())
    assert told == [
        {"name": "v", "mountPath": "v", "readOnly": True, "recursiveReadOnly": "Enabled"},
        {"name": "v", "mountPath": "/w", "readOnly": True, "recursiveReadOnly": "Disabled"},
        {"name": "v", "mountPath": "/x"},
    ]
    assert container_path(VolumeMount(mounts[0])) == "/v"
    assert told_mounts(of, None, ContainerStatus({"name": "app", "volumeMounts": told})) == told
    assert told_mounts(of, None, ContainerStatus())[0]["recursiveReadOnly"] == "Disabled"


@pytest.mark.parametrize(("deep", "handler"), [(True, "hard"), (False, "hard"), (False, "")])
def test_it_is_the_pods_handler_that_counts(tmp_path: Path, *, deep: bool, handler: str) -> None:
    async def story(node: FakeNode) -> None:
        node.objects.runtime_classes["class"] = "hard"
        node.cri.handlers = (Handler("", not deep and handler == "hard"), Handler("hard", deep or not handler))
        one = {"name": "app", "image": "app:1", "volumeMounts": [mount("IfPossible").raw]}
        volumes = [{"name": "v", "emptyDir": {}}]
        node.add(pod(volumes=volumes, containers=[one], **({"runtimeClassName": "class"} if handler else {})))
        await node.until(lambda: bool(node.state().get("ready")))
        (listed,) = await node.cri.containers()
        made = await node.cri.container_status(listed.id)
        assert [found.recursive_read_only for found in made.mounts if found.container_path == "/v"] == [deep]
        assert node.state()["volumeMounts"][0]["recursiveReadOnly"] == ("Enabled" if deep else "Disabled")

    run(tmp_path, story)


def test_what_the_runtime_cannot_keeps_the_container_from_being_made(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        one = {"name": "app", "image": "app:1", "volumeMounts": [mount("Enabled").raw]}
        node.add(pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[one]))
        await node.until(lambda: "message" in node.state().get("state", {}).get("waiting", {}))
        waiting = node.state()["state"]["waiting"]
        assert (waiting["reason"], waiting["message"]) == (
            "CreateContainerConfigError", f"{WHY} supported by the runtime",
        )  # fmt: skip

    run(tmp_path, story)
