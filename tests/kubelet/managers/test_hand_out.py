"""Containers get what they lack where the policy wants it, in pods that run on a node."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubelet.harness import FakeNode, pod, run
from kubelet.managers.binding import wanting
from kubelet.managers.giving import Cards, More, asking, giver, guaranteed
from kubelet.resizing import in_force, resize, resources, settled, sized, started, status_of
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admission import NodeAdmission
from pilothouse.kubelet.managers.hand_out import Affinities, AlignedHandout
from pilothouse.kubelet.managers.hints import Hints


async def outcome(handout: AlignedHandout, one: Pod) -> str:
    """What the containers may use; why not."""
    if refusal := await handout.hand_out(one):
        return f"{refusal.reason}: {refusal.message}"
    return " ".join([(await handout.contribute(one, container)).cpuset_cpus for container in one.spec.containers])


NOT_NEAR = "TopologyAffinityError: Resources cannot be allocated with Topology locality"


@pytest.mark.parametrize(
    ("policy", "scope", "cpus", "expected"),
    [
        ("none", "container", ("2",), "1-2"),  # where less is free
        ("best-effort", "container", ("3",), "1-3"),
        ("best-effort", "container", ("5",), "1,4-7"),
        ("restricted", "container", ("5",), "1,4-7"),
        ("restricted", "container", ("3", "3"), "1-3 4-6"),
        ("restricted", "container", ("3", "3", "2"), NOT_NEAR),
        ("single-numa-node", "container", ("5",), NOT_NEAR),
        ("single-numa-node", "container", ("3", "4"), "1-3 4-7"),
        ("restricted", "pod", ("2", "2"), "4-5 6-7"),
        ("single-numa-node", "pod", ("3", "2"), NOT_NEAR),
        ("single-numa-node", "pod", ("500m", "500m"), "0-7 0-7"),
    ],
)
def test_the_policy_says_what_is_near_enough(
    policy: str, scope: str, cpus: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    assert asyncio.run(outcome(giver(tmp_path, policy, scope), guaranteed("a", *cpus))) == expected


def test_all_givers_are_asked_before_one_gives(tmp_path: Path) -> None:
    async def story() -> None:
        cards, known = Cards(), Affinities()
        handout = giver(tmp_path, "restricted", cards=cards, active={"uid-b"}, affinities=known)
        assert await outcome(handout, guaranteed("a", "2", "1")) == "4-5 6"
        assert cards.given == [("app0", frozenset({1})), ("app1", frozenset({1}))]
        assert known.near("uid-a", "app0") == frozenset({1})
        assert known.near("uid-x", "app0") is None
        assert await outcome(handout, guaranteed("b", "4")) == "4-7"
        assert known.near("uid-a", "app0") is None

    asyncio.run(story())


def test_pods_run_on_their_processors_and_others_are_refused(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        more = More()
        handout = giver(tmp_path, "single-numa-node", more=more)
        node.contributor = handout
        node.admission = NodeAdmission(
            node.own, node.runtime, lambda: node.workers, node.told, node.clock, node.traits, handout=handout
        )
        node.add(pod("web", containers=[asking("3")]))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        (made,) = await node.cri.containers()
        config: Any = node.cri.config_of(made.id)
        assert config["linux"]["resources"]["cpuset_cpus"] == "1-3"
        assert config["linux"]["resources"]["cpu_quota"] == -1
        assert {"key": "CARD", "value": "1"} in config["envs"]
        for name, cpus, message in (
            ("wide", "5", "Resources cannot be allocated with Topology locality"), ("late", "1", "none left"),
        ):  # fmt: skip
            node.add(pod(name, containers=[asking(cpus)]))
            await node.until(lambda name=name: node.pods[name].status.phase == "Failed")  # type: ignore[misc]
            assert node.pods[name].status.message == f"Pod was rejected: {message}"
        assert node.pods["wide"].status.reason == "TopologyAffinityError"
        assert more.asked == ["web", "late"]

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("policy", "near"),
    [("none", ("4-7", "0")), ("restricted", ("4-7", "1"))],
)
def test_memory_is_near_to_the_processors(policy: str, near: tuple[str, str], tmp_path: Path) -> None:
    """As far as a policy wants it."""
    one = pod("web", containers=[asking("4")])

    async def story() -> None:
        handout = giver(tmp_path, policy, gigs=(4, 4))
        assert await handout.hand_out(Pod(one)) is None
        given = await handout.contribute(Pod(one), Pod(one).spec.containers[0])
        assert (given.cpuset_cpus, given.cpuset_mems) == near

    asyncio.run(story())


def test_pods_run_with_memory_of_their_nodes_and_others_are_refused(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        handout = giver(tmp_path, gigs=(2, 2))
        node.contributor = handout
        node.admission = NodeAdmission(
            node.own, node.runtime, lambda: node.workers, node.told, node.clock, node.traits, handout=handout
        )
        node.add(pod("shares", containers=[{"name": "app", "image": "app:1"}]))
        node.add(pod("web", containers=[wanting(2)]))
        await node.until(lambda: {node.pods[name].status.phase for name in ("web", "shares")} == {"Running"})
        sets: dict[str, str] = {}
        for made in await node.cri.containers():
            config: Any = node.cri.config_of(made.id)
            uid = config["labels"]["io.kubernetes.pod.uid"]
            sets[f"{uid} {made.name}"] = config["linux"]["resources"].get("cpuset_mems", "-")
        assert sets == {"uid-shares app": "-", "uid-web app": "1"}
        node.add(pod("late", containers=[wanting(2)]))
        await node.until(lambda: node.pods["late"].status.phase == "Failed")
        assert node.pods["late"].status.reason == "UnexpectedAdmissionError"
        assert node.pods["late"].status.message == (
            "Pod was rejected: Allocate failed due to [memorymanager] failed to get the default NUMA affinity, "
            "no NUMA nodes with enough memory is available, which is unexpected"
        )

    run(tmp_path, story)


def test_other_changes_leave_the_time_of_own_processors_alone(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        handout = giver(tmp_path)
        node.contributor, node.cpus = handout, handout.cpus
        node.admission = NodeAdmission(
            node.own, node.runtime, lambda: node.workers, node.told, node.clock, node.traits, handout=handout
        )
        await started(node, sized(app=resources("1", "64Mi", "1", "64Mi")))
        resize(node, app=resources("1", "96Mi", "1", "96Mi"))
        await settled(node)
        has = await in_force(node)
        assert (has.cpu_quota, has.memory_limit_in_bytes) == (-1, 96 << 20)
        assert status_of(node)["resources"]["limits"] == {"cpu": "1", "memory": "96Mi"}

    run(tmp_path, story)


@pytest.mark.parametrize("scope", ["container", "pod"])
def test_without_a_policy_nobody_is_asked_where_things_may_be(scope: str, tmp_path: Path) -> None:
    """Of a machine with 32 NUMA nodes there are more sets than can be tried."""

    class Unasked(Cards):
        def pod_hints(self, pod: Pod) -> Hints:
            raise AssertionError(pod)

    cards = Unasked()
    assert asyncio.run(outcome(giver(tmp_path, "none", scope, cards=cards), guaranteed("a", "2"))) == "1-2"
    assert cards.given == [("app0", None)]


def test_who_finds_too_little_is_refused(tmp_path: Path) -> None:
    text = "not enough cpus available to satisfy request: requested=8, available=7"
    refused = asyncio.run(outcome(giver(tmp_path), guaranteed("a", "8")))
    assert refused == f"UnexpectedAdmissionError: Allocate failed due to {text}, which is unexpected"
