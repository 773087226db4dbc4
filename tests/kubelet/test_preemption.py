"""Which pods make room. The lists are upstream's rules: fewest pods, then least asked for, guaranteed ones last."""

import pytest

from kubelet.admit.viewing import asking, make
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import Shortage
from pilothouse.kubelet.preemption import NoVictims, victims

CRITICAL = make("critical", priority=2_000_000_000)


def guaranteed(name: str, cpu: str, memory: str) -> Pod:
    return asking(name, cpu=cpu, memory=memory, limits={"cpu": cpu, "memory": memory})


def lacking(**amounts: int) -> list[Shortage]:
    return [Shortage(name, amount, 0, 0) for name, amount in amounts.items()]


@pytest.mark.parametrize(
    ("others", "shortages", "ended"),
    [
        ([asking("a", cpu="1"), asking("b", cpu="2")], lacking(cpu=1000), ["a"]),
        ([asking("a", cpu="1"), asking("b", cpu="2")], lacking(cpu=1500), ["b"]),
        ([asking("a", cpu="1"), asking("b", cpu="2")], lacking(cpu=2500), ["b", "a"]),
        ([guaranteed("g", "1", "1Gi"), asking("a", cpu="1")], lacking(cpu=500), ["a"]),
        ([guaranteed("g", "1", "1Gi"), asking("a", cpu="1")], lacking(cpu=2000), ["a", "g"]),
        ([guaranteed("g", "2", "1Gi"), asking("a", cpu="1")], lacking(cpu=2000), ["g"]),
        ([asking("none"), asking("a", cpu="1")], lacking(pods=1), ["none"]),
        ([asking("none"), asking("a", cpu="1")], lacking(pods=1, cpu=500), ["a"]),
        ([asking("a", cpu="1"), asking("b", cpu="1", memory="1Gi")], lacking(cpu=1000, memory=1 << 20), ["b"]),
        ([make("other", priority=2_000_000_000), asking("a", cpu="1")], lacking(cpu=1000), ["a"]),
    ],
    ids=[
        "less asked for", "one is enough", "both", "burstable first", "all", "no needless one", "best effort first",
        "enough of each", "nearest", "critical ones stay",
    ],
)  # fmt: skip
def test_as_few_as_possible_make_room(others: list[Pod], shortages: list[Shortage], ended: list[str]) -> None:
    assert [pod.metadata.name for pod in victims(CRITICAL, others, shortages)] == ended


def test_there_may_not_be_enough() -> None:
    with pytest.raises(
        NoVictims, match=r"^no set of running pods found to reclaim resources: \[\(res: cpu, q: 500\), ]$"
    ):
        victims(CRITICAL, [asking("a", cpu="1")], lacking(cpu=1500))
