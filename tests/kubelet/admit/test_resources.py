"""Whether there is room for a pod."""

import pytest

from kubelet.admit.viewing import asking, make, view
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit.resources import Resources
from pilothouse.kubelet.admit_handler import Shortage


def refused(pod: Pod, *others: Pod) -> tuple[str, str] | None:
    refusal = Resources().refuse(pod, view(others=others))
    return (refusal.reason, refusal.message) if refusal else None


GIB = 1 << 30


@pytest.mark.parametrize(
    ("pod", "others", "lack"),
    [
        (asking(), [], None),
        (asking(cpu="2", memory="4Gi"), [asking("a")], None),
        (asking(cpu="2001m"), [], ("cpu", 2001, 0, 2000)),
        (asking(cpu="500m"), [asking("a", cpu="1"), asking("b", cpu="700m")], ("cpu", 500, 1700, 2000)),
        (asking(memory="3Gi"), [asking("a", memory="2Gi")], ("memory", 3 * GIB, 2 * GIB, 4 * GIB)),
        (asking(ephemeral_storage="11Gi"), [], ("ephemeral-storage", 11 * GIB, 0, 10 * GIB)),
        (asking(cpu="9"), [asking("a"), asking("b"), asking("c")], ("pods", 1, 3, 3)),
        (asking(__gpu="1"), [asking("a", __gpu="1")], ("example.com/gpu", 1, 1, 1)),
        (asking(__unknown="1"), [], None),
        (asking(hugepages_2Mi="2Mi"), [], ("hugepages-2Mi", 2 << 20, 0, 0)),
        (asking(cpu="0"), [asking("a", cpu="3")], None),
    ],
    ids=[
        "nothing", "all there is", "more than there is", "beside others", "memory", "disk", "places first", "gpu",
        "of the cluster", "huge pages", "nothing of what is overdrawn",
    ],
)  # fmt: skip
def test_the_first_lack_is_told(pod: Pod, others: list[Pod], lack: tuple[str, int, int, int] | None) -> None:
    told = None
    if lack:
        name, requested, used, capacity = lack
        numbers = f"requested: {requested}, used: {used}, capacity: {capacity}"
        told = (f"OutOf{name}", f"Node didn't have enough resource: {name}, {numbers}")
    assert refused(pod, *others) == told


def test_devices_by_their_class_are_had_by_claims() -> None:  # Assumed.
    asks = {"deviceclass.resource.kubernetes.io/gpu.example.com": "1"}
    assert refused(make(containers=[{"name": "app", "image": "a", "resources": {"requests": asks}}])) is None


def test_all_that_is_lacking_is_known() -> None:
    refusal = Resources().refuse(asking(cpu="3", memory="5Gi"), view(others=[asking("a", cpu="1500m")]))
    assert refusal is not None
    assert refusal.shortages == (Shortage("cpu", 3000, 1500, 2000), Shortage("memory", 5 * GIB, 0, 4 * GIB))
    assert [one.missing for one in refusal.shortages] == [2500, GIB]


def test_overhead_init_containers_and_what_a_pod_has_already_count() -> None:
    init = [{"name": "i", "image": "i", "resources": {"requests": {"cpu": "1500m"}}}]
    pod = make(initContainers=init, overhead={"cpu": "250m"})
    assert refused(pod, asking("a", cpu="200m")) is None
    running = [{"name": "app", "resources": {"requests": {"cpu": "1"}}}]
    shrinking = make("a", status={"containerStatuses": running})
    told = refused(pod, shrinking)
    assert told == ("OutOfcpu", "Node didn't have enough resource: cpu, requested: 1750, used: 1000, capacity: 2000")
