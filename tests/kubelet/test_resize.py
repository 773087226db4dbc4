"""What a change of resources takes, row by row, as upstream's computePodResizeAction and allocation manager have it."""

from dataclasses import replace
from typing import Any

import pytest

from kubelet.observing import containers, pod, ran, seen, sidecar
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.cri.applied import LinuxResources
from pilothouse.kubelet.cri.interface import Container as Run
from pilothouse.kubelet.observed import ResizeNote, ResizeState
from pilothouse.kubelet.resize import (
    MADE_WITH,
    event_message,
    in_force,
    infeasible,
    made_with,
    must_restart,
    precedence,
    repins,
    resizable,
    steps,
    swaps,
)
from pilothouse.kubelet.resources.swap import SwapFacts, SwapPolicy

UNDER_WAY = ResizeState(in_progress=ResizeNote())


def has(name: str, cpu_shares: int = 2, cpu_quota: int = 0, memory: int = 0) -> Run:
    told = LinuxResources(cpu_period=100_000, cpu_shares=cpu_shares, cpu_quota=cpu_quota, memory_limit_in_bytes=memory)
    return replace(ran(name), resources=told)


def amounts(cpu: str = "", memory: str = "") -> JsonObject:
    return {name: text for name, text in (("cpu", cpu), ("memory", memory)) if text}


def wants(requests: JsonObject | None = None, limits: JsonObject | None = None, **fields: Any) -> JsonObject:
    kinds = (("requests", requests), ("limits", limits))
    return {"resources": {kind: listed for kind, listed in kinds if listed}, **fields}


@pytest.mark.parametrize(("asked", "run", "expected"), [
    pytest.param(wants(amounts("20m")), has("app", 20), None, id="it has that"),
    pytest.param(wants(amounts("25m")), has("app", 20), {"cpu_shares": 25, "cpu_quota": -1}, id="a request of CPU"),
    pytest.param(wants(amounts("25m"), amounts("35m")), has("app", 25), {"cpu_shares": 25, "cpu_quota": 3500},
                 id="a limit of CPU where there was none"),
    pytest.param(wants(amounts(memory="9"), amounts(memory="40Mi")), has("app", memory=45 << 20),
                 {"memory_limit_in_bytes": 40 << 20}, id="a limit of memory"),
    pytest.param(wants(amounts(memory="40Mi")), has("app"), None, id="a request of memory is nothing to the kernel"),
    pytest.param(wants(amounts("1m"), amounts("5m")), has("app", 2, 1000), None,
                 id="below what the kernel tells apart: 2m and 10m"),
    pytest.param(wants(limits=amounts("1", "1Gi")), has("app", 1024, 50_000, 1 << 29),
                 {"memory_limit_in_bytes": 1 << 30, "cpu_shares": 1024, "cpu_quota": 100_000}, id="both at once"),
    pytest.param(wants(), has("app", -1, -1, -1), None, id="however a runtime writes no limit"),
])  # fmt: skip
def test_what_a_running_container_lacks(asked: JsonObject, run: Run, expected: JsonObject | None) -> None:
    found = steps(pod(containers=containers("app", **asked)), seen(run, resize=UNDER_WAY))
    if expected is not None and "cpu_shares" in expected:
        expected = expected | {"cpu_period": 100_000}
    assert [step.linux for step in found] == ([] if expected is None else [expected])


def test_who_gets_less_memory_goes_first_and_who_does_not_run_is_left_alone() -> None:
    """Source: markContainerForUpdate puts decreases before increases."""
    limit = wants(limits=amounts(memory="100Mi"))
    of = pod(
        initContainers=[sidecar("side", **limit), *containers("init", **limit)],
        containers=containers("more", "less", "ended", "gone", **limit),
    )
    found = steps(of, seen(
        has("side", memory=1), has("init", memory=1), has("more", memory=1), has("less", memory=1 << 30),
        replace(has("ended", memory=1), state=ran("x", 1).state), resize=UNDER_WAY,
    ))  # fmt: skip
    assert [step.name for step in found] == ["less", "side", "more"]
    assert [one.name for one in resizable(of)] == ["side", "more", "less", "ended", "gone"]


def test_a_runtime_that_tells_nothing_is_told_once() -> None:
    of = pod(containers=containers("app", **wants(amounts("1"))))
    (step,) = steps(of, seen(ran("app"), resize=UNDER_WAY))
    assert step.linux == {
        "memory_limit_in_bytes": -1, "cpu_shares": 1024, "cpu_period": 100_000, "cpu_quota": -1,
    }  # fmt: skip
    assert steps(of, seen(ran("app"), resize=replace(UNDER_WAY, fitted=True))) == ()


def policy(*names: str) -> JsonObject:
    other = {"cpu", "memory"} - set(names)
    return {"resizePolicy": [
        *({"resourceName": name, "restartPolicy": "RestartContainer"} for name in names),
        *({"resourceName": name, "restartPolicy": "NotRequired"} for name in sorted(other)),
    ]}  # fmt: skip


BEFORE = wants(amounts("20m", "35Mi"), amounts("30m", "45Mi"))


@pytest.mark.parametrize(("policies", "after", "restarted"), [
    ((), wants(amounts("25m", "40Mi"), amounts("35m", "50Mi")), False),
    (("cpu",), wants(amounts("25m", "35Mi"), amounts("30m", "45Mi")), True),
    (("cpu",), wants(amounts("20m", "35Mi"), amounts("35m", "45Mi")), True),
    (("cpu",), wants(amounts("20m", "40Mi"), amounts("30m", "50Mi")), False),
    (("memory",), wants(amounts("20m", "35Mi"), amounts("30m", "50Mi")), True),
    (("memory",), wants(amounts("20m", "40Mi"), amounts("30m", "45Mi")), True),
    (("memory",), wants(amounts("25m", "35Mi"), amounts("35m", "45Mi")), False),
    (("cpu", "memory"), BEFORE, False),
])  # fmt: skip
def test_a_container_is_restarted_where_its_policy_says_so(
    policies: tuple[str, ...], after: JsonObject, restarted: bool
) -> None:
    """The rows are those of the end-to-end test of burstable pods with all requests and limits."""
    old = Container(containers("app", **BEFORE, **policy(*policies))[0])
    run = replace(has("app", 20, 3000, 45 << 20), annotations={MADE_WITH: made_with(old)} if policies else {})
    of = pod(containers=containers("app", **after, **policy(*policies)))
    assert must_restart(of.spec.containers[0], run) is restarted
    changed = after != BEFORE
    assert bool(steps(of, seen(run, resize=UNDER_WAY))) is (changed and not restarted)


def test_a_policy_that_came_later_goes_by_what_the_runtime_tells() -> None:
    wanted = Container(containers("app", **wants(limits=amounts("1", "50Mi")), **policy("memory"))[0])
    assert must_restart(wanted, has("app", 1024, 100_000, 40 << 20))
    assert not must_restart(wanted, has("app", 2, 50_000, 50 << 20))


ROOM = {"cpu": "2", "memory": "1Gi", "pods": "110"}


@pytest.mark.parametrize(("spec", "message"), [
    ({"containers": containers("app", **wants(amounts("2", "1Gi")))}, ""),
    ({"containers": containers("app", **wants(amounts("2001m")))},
     "Node didn't have enough capacity: cpu, requested: 2001, capacity: 2000"),
    ({"containers": containers("a", "b", **wants(amounts("2", "513Mi")))},
     "Node didn't have enough capacity: memory, requested: 1075838976, capacity: 1073741824"),
    ({"containers": containers("app", **wants(amounts("2"))), "overhead": {"cpu": "1m"}},
     "Node didn't have enough capacity: cpu, requested: 2001, capacity: 2000"),
    ({"metadata": {"annotations": {"kubernetes.io/config.source": "file"}}},
     "In-place resize of static-pods is not supported"),
])  # fmt: skip
def test_what_can_never_be_granted(spec: dict[str, Any], message: str) -> None:
    """Source: allocation_manager.go, features_linux.go."""
    assert infeasible(pod(**spec), ROOM) == message


SWAP = SwapFacts(policy=SwapPolicy(behavior="LimitedSwap"), counted=True, v2=True, total=1 << 30, memory=8 << 30)


@pytest.mark.parametrize(("before", "after", "facts", "expected"), [
    (amounts("1", "1Gi"), amounts("1", "2Gi"), SWAP, True),
    (amounts("1", "1Gi"), amounts("2", "1Gi"), SWAP, False),
    (amounts("1"), amounts("1", "1Gi"), SWAP, True),
    (amounts("1", "1Gi"), amounts("1", "2Gi"), replace(SWAP, policy=SwapPolicy()), False),
    (amounts("1", "1Gi"), amounts("1", "2Gi"), replace(SWAP, v2=False), False),
    (amounts("1", "1Gi"), amounts("1", "2Gi"), SwapFacts(), False),
])  # fmt: skip
def test_what_may_swap_keeps_its_share(
    before: JsonObject, after: JsonObject, facts: SwapFacts, *, expected: bool
) -> None:
    """Source: disallowResizeForSwappableContainers in pkg/kubelet/allocation/handlers.go."""

    def of(asked: JsonObject, *names: str) -> Pod:
        return pod(containers=containers("app", **wants(asked), **policy(*names)))

    assert swaps(of(after), of(before), facts) is expected
    # Who starts anew gets another share then.
    assert not swaps(of(after, "memory"), of(before, "memory"), facts)


def test_who_has_processors_of_its_own_is_given_no_quota() -> None:
    """Source: DisableCPUQuotaWithExclusiveCPUs in pkg/kubelet/kuberuntime/kuberuntime_container_linux.go."""
    asked = amounts("2", "1Gi")
    of = pod(containers=containers("app", **wants(asked, asked)))
    free, held = has("app", 2048, -1, 1 << 30), has("app", 2048, 200_000, 1 << 30)
    own = frozenset({"app"})
    assert in_force(of, seen(held))
    assert in_force(of, seen(free, unthrottled=own))
    assert not in_force(of, seen(free))
    (step,) = steps(of, seen(held, resize=UNDER_WAY, unthrottled=own))
    assert (step.linux["cpu_quota"], step.linux["cpu_shares"]) == (-1, 2048)


@pytest.mark.parametrize(
    ("cpu", "memory", "guaranteed", "bound"),
    [
        ("2", "1Gi", True, (True, False)),
        ("1000m", "2Gi", True, (False, True)),
        ("2", "2Gi", False, (False, False)),
    ],
)
def test_guaranteed_pods_may_be_bound_to_their_processors_and_memory(
    cpu: str, memory: str, *, guaranteed: bool, bound: tuple[bool, bool]
) -> None:
    """Source: podResizesAdmitHandler in pkg/kubelet/allocation."""

    def of(*asked: str) -> Pod:
        return pod(containers=containers("app", **wants(amounts(*asked), amounts(*asked) if guaranteed else None)))

    after, before = of(cpu, memory), of("1", "1Gi")
    assert (repins(after, before, "cpu"), repins(after, before, "memory")) == bound


def test_whose_change_is_looked_at_first() -> None:
    """Source: sortPendingResizes."""

    def sized(name: str, cpu: str, **spec: Any) -> Pod:
        return pod(name=name, containers=containers("app", **wants(amounts(cpu))), **spec)

    def capped(name: str, cpu: str) -> Pod:
        return pod(name=name, containers=containers("app", **wants(amounts(cpu, "1Gi"), amounts(cpu, "1Gi"))))

    changes = {
        "plain": (sized("plain", "2"), sized("plain", "1")),
        "guaranteed": (capped("guaranteed", "2"), capped("guaranteed", "1")),
        "important": (sized("important", "2", priority=7), sized("important", "1", priority=7)),
        "shrinks": (sized("shrinks", "1"), sized("shrinks", "2")),
    }
    order = sorted(changes, key=lambda name: precedence(*changes[name]))
    assert order == ["shrinks", "important", "guaranteed", "plain"]


def test_events_tell_of_all_resources() -> None:
    """Source: pkg/kubelet/events, podResizeMessage."""
    of = pod(initContainers=containers("init"), containers=containers("app", **wants(amounts("1", "1Gi"))))
    assert event_message(of, "started", ResizeNote(generation=2)) == (
        'Pod resize started: {"initContainers":[{"name":"init","resources":{}}],"containers":[{"name":"app",'
        '"resources":{"requests":{"cpu":"1","memory":"1Gi"}}}],"generation":2}'
    )
    assert event_message(pod(), "error", ResizeNote("Error", "no way", 3)) == (
        'Pod resize error: {"containers":[{"name":"app","resources":{}}],"generation":3,"error":"no way"}'
    )
