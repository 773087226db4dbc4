"""What is seen of sandboxes and containers at a glance."""

from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.cri.picture import picture


def test_containers_belong_to_the_pods_of_their_sandboxes() -> None:
    sandboxes = [("pod-a", "old", False), ("pod-a", "new", True), ("pod-b", "other", True)]
    containers = [("new", "run", ContainerState.RUNNING), ("old", "dead", ContainerState.EXITED)]
    assert picture(sandboxes, containers) == {
        "pod-a": {("old", False), ("new", True), ("run", ContainerState.RUNNING), ("dead", ContainerState.EXITED)},
        "pod-b": {("other", True)},
    }


def test_a_container_without_a_sandbox_is_nobodys() -> None:
    assert picture([("pod", "box", True)], [("gone", "run", ContainerState.RUNNING)]) == {"pod": {("box", True)}}
