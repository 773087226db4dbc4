"""What happens next to a pod, row by row, as upstream's computePodActions and doBackOff have it."""

from dataclasses import replace
from typing import Any

import pytest

from kubelet.observing import NOW, box, containers, pod, ran, seen, shaped, sidecar
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import shape
from pilothouse.kubelet.cri.applied import LinuxResources
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.lifecycle import SHAPE_LABEL, plan
from pilothouse.kubelet.observed import CrashWait, Failure, Health, ObservedPod, ResizeNote, ResizeState
from pilothouse.kubelet.pod_plan import Kill, PodPlan, Resize, Start
from pilothouse.runtime.clock import format_time

SAME = shape(pod().spec.containers[0])
"""What the container `app` looks like."""


def first(name: str) -> Start:
    return Start(name, 0)


def again(name: str, attempt: int = 1) -> Start:
    """A start after an end: the next one will wait."""
    found = pod(containers=containers(name)).spec.containers[0]
    return Start(name, attempt, CrashWait(10.0, NOW, shape(found)))


def starts(of: Pod, observed: ObservedPod) -> list[str]:
    return [step.name for step in plan(of, observed, NOW).start]


@pytest.mark.parametrize(("spec", "observed", "expected"), [
    pytest.param({}, seen(boxes=()), PodPlan(create_sandbox=0), id="nothing is there yet"),
    pytest.param({}, seen(), PodPlan(start=(first("app"),)), id="a sandbox is there"),
    pytest.param({"containers": containers("b", "a")}, seen(), PodPlan(start=(first("b"), first("a"))),
                 id="all containers start, in the order of the spec"),
    pytest.param({}, seen(ran("app")), PodPlan(), id="all runs"),
    pytest.param({}, seen(boxes=(box(ready=False),)), PodPlan(create_sandbox=1, sandbox_changed=True),
                 id="the sandbox has died"),
    pytest.param({}, seen(ran("app"), boxes=(box(ready=False),)),
                 PodPlan(stop_sandboxes=("s0",), create_sandbox=1, sandbox_changed=True),
                 id="the sandbox has died, and something in it lives on"),
    pytest.param({}, seen(boxes=(box(ips=()),)),
                 PodPlan(stop_sandboxes=("s0",), create_sandbox=1, sandbox_changed=True),
                 id="the sandbox has no address"),
    pytest.param({"hostNetwork": True}, seen(boxes=(box(ips=(), host_network=True),)),
                 PodPlan(start=(first("app"),)), id="on the host's network none is needed"),
    pytest.param({"hostNetwork": True}, seen(), PodPlan(stop_sandboxes=("s0",), create_sandbox=1, sandbox_changed=True),
                 id="the sandbox has the wrong network"),
    pytest.param({}, seen(boxes=(box(1), box(0))),
                 PodPlan(stop_sandboxes=("s1", "s0"), create_sandbox=2, sandbox_changed=True),
                 id="two sandboxes are ready"),
    pytest.param({"restartPolicy": "Never"}, seen(boxes=(box(ready=False),)),
                 PodPlan(create_sandbox=1, sandbox_changed=True), id="Never: nothing was made in it"),
    pytest.param({"restartPolicy": "Never"}, seen(ran("app"), boxes=(box(ready=False),)),
                 PodPlan(stop_sandboxes=("s0",)), id="Never: a container was, so the pod is not begun again"),
    pytest.param({"restartPolicy": "OnFailure"}, seen(ran("app", 0), boxes=(box(ready=False),)),
                 PodPlan(finished=True), id="OnFailure: all is done, no new sandbox"),
    pytest.param({"restartPolicy": "OnFailure"}, seen(ran("app", 1), boxes=(box(ready=False),)),
                 PodPlan(create_sandbox=1, sandbox_changed=True), id="OnFailure: it failed"),
    pytest.param({"restartPolicy": "OnFailure", "containers": containers("a", "b")},
                 seen(ran("a", 0), ran("b", 255), boxes=(box(1), box(0, ready=False))),
                 PodPlan(start=(again("b"),)), id="in a new sandbox what succeeded stays done"),
])  # fmt: skip
def test_sandboxes(spec: dict[str, Any], observed: ObservedPod, expected: PodPlan) -> None:
    assert plan(pod(**spec), observed, NOW) == expected


NEVER_BUT_42 = {
    "restartPolicy": "Never",
    "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42, 43]}}],
}
ONLY_1 = {
    "restartPolicy": "Always",
    "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [1]}}],
}


@pytest.mark.parametrize(("policy", "own", "code", "restarted"), [
    ("Always", {}, 0, True),
    ("Always", {}, 1, True),
    ("OnFailure", {}, 0, False),
    ("OnFailure", {}, 1, True),
    ("Never", {}, 0, False),
    ("Never", {}, 1, False),
    ("Never", {"restartPolicy": "Always"}, 0, True),
    ("Never", {"restartPolicy": "OnFailure"}, 0, False),
    ("Never", {"restartPolicy": "OnFailure"}, 1, True),
    ("Always", {"restartPolicy": "Never"}, 1, False),
    ("Never", NEVER_BUT_42, 43, True),
    ("Never", NEVER_BUT_42, 1, False),
    ("Always", NEVER_BUT_42, 1, False),
    ("Never", ONLY_1, 0, True),
    ("Never", ONLY_1, 1, True),
])  # fmt: skip
def test_restart_policies(policy: str, own: dict[str, Any], code: int, restarted: bool) -> None:
    spec = pod(restartPolicy=policy, containers=[*containers("app", **own), *containers("other")])
    assert starts(spec, seen(ran("other"), ran("app", code))) == (["app"] if restarted else [])
    alone = plan(pod(restartPolicy=policy, containers=containers("app", **own)), seen(ran("app", code)), NOW)
    assert alone.finished is not restarted


def test_a_container_made_but_not_started_is_made_anew_without_waiting() -> None:
    made = ran("app", state=ContainerState.CREATED)
    waits = {"app": CrashWait(300.0, NOW - 1)}
    assert plan(pod(), seen(made, waits=waits), NOW) == PodPlan(start=(Start("app", 1),))


def test_a_container_in_an_unknown_state_is_killed_first() -> None:
    lost = ran("app", state=ContainerState.UNKNOWN)
    assert plan(pod(), seen(lost), NOW) == PodPlan(
        kill=(Kill("app-0", "app", 'Container is in "unknown" state, try killing it before restart'),),
        start=(Start("app", 1),),
    )


@pytest.mark.parametrize(("policy", "own", "health", "message", "restarted"), [
    ("Always", {}, Health(started=True, live=False), "Container app failed liveness probe, will be restarted", True),
    ("Always", {}, Health(startup_failed=True), "Container app failed startup probe, will be restarted", True),
    ("OnFailure", {}, Health(live=False), "Container app failed liveness probe, will be restarted", True),
    ("Never", {}, Health(live=False), "Container app failed liveness probe", False),
    ("Never", NEVER_BUT_42, Health(live=False), "Container app failed liveness probe", False),
    ("Never", {"restartPolicy": "OnFailure"}, Health(live=False),
     "Container app failed liveness probe, will be restarted", True),
    ("Always", {}, Health(started=True, live=True), "", False),
    ("Always", {}, Health(), "", False),
])  # fmt: skip
def test_probes(policy: str, own: dict[str, Any], health: Health, message: str, restarted: bool) -> None:
    spec = pod(restartPolicy=policy, containers=containers("app", **own))
    decided = plan(spec, seen(ran("app"), health={"app-0": health}), NOW)
    assert [kill.message for kill in decided.kill] == ([message] if message else [])
    assert decided.start == ((Start("app", 1),) if restarted else ())


def test_the_first_restart_by_a_probe_does_not_wait_and_later_ones_count_from_the_last_end() -> None:
    sick = {"app-1": Health(live=False)}
    before = ran("app", 137, finished_at=NOW - 30)
    running = ran("app", attempt=1)
    short = seen(before, running, health=sick, waits={"app": CrashWait(20.0, NOW - 29, SAME)})
    assert plan(pod(), short, NOW).start == (Start("app", 2, CrashWait(40.0, NOW, SAME)),)
    long = seen(before, running, health=sick, waits={"app": CrashWait(40.0, NOW - 29, SAME)})
    decided = plan(pod(), long, NOW)
    assert [kill.name for kill in decided.kill] == ["app"]
    assert decided.start == ()
    assert decided.failures["app"].reason == "CrashLoopBackOff"


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_another_image_replaces_the_container_whatever_the_policy(policy: str) -> None:
    run = ran("app", annotations={SHAPE_LABEL: "other"})
    assert plan(pod(restartPolicy=policy), seen(run), NOW) == PodPlan(
        kill=(Kill("app-0", "app", "Container app definition changed, will be restarted"),), start=(Start("app", 1),)
    )
    same = pod(restartPolicy=policy)
    assert not plan(same, seen(shaped(same, ran("app"))), NOW).steps


@pytest.mark.parametrize(("wait", "ended", "expected"), [
    (None, NOW, 10.0),
    (CrashWait(10.0, NOW - 20), NOW - 10, 20.0),
    (CrashWait(160.0, NOW - 400), NOW - 160, 300.0),
    (CrashWait(300.0, NOW - 400), NOW - 300, 300.0),
    (CrashWait(300.0, NOW - 601), NOW, 10.0),
    (CrashWait(300.0, NOW - 5, "other image"), NOW, 10.0),
])  # fmt: skip
def test_the_wait_after_a_crash_doubles_and_is_forgotten_after_ten_minutes(
    wait: CrashWait | None, ended: float, expected: float
) -> None:
    same = CrashWait(wait.seconds, wait.since, wait.shape or SAME) if wait else None
    observed = seen(ran("app", 1, finished_at=ended), waits={"app": same} if same else {})
    assert plan(pod(), observed, NOW).start == (Start("app", 1, CrashWait(expected, NOW, SAME)),)


def test_a_container_in_crash_back_off_says_so_and_when_to_look_again() -> None:
    wait = CrashWait(40.0, NOW - 20, SAME)
    message = "back-off 40s restarting failed container=app pod=web_default(uid-web)"
    observed = seen(ran("app", 1, finished_at=NOW - 10), waits={"app": wait})
    assert plan(pod(), observed, NOW) == PodPlan(
        failures={"app": Failure("CrashLoopBackOff", message)}, wake_at=NOW + 30
    )


def test_a_start_that_failed_is_not_tried_before_its_time() -> None:
    soon = {"app": Failure("ErrImagePull", "no", NOW + 3)}
    assert plan(pod(), seen(failures=soon), NOW) == PodPlan(wake_at=NOW + 3)
    assert starts(pod(), seen(failures={"app": Failure("ErrImagePull", "no", NOW)})) == ["app"]


@pytest.mark.parametrize(("told", "attempt"), [
    ({}, 0),
    ({"restartCount": 2, "containerID": "containerd://gone"}, 3),
    ({"restartCount": 3}, 3),
])  # fmt: skip
def test_numbers_of_runs_go_on_where_the_runtime_has_forgotten_them(told: dict[str, Any], attempt: int) -> None:
    status = {"containerStatuses": [{"name": "app", **told}]} if told else {}
    assert plan(pod(status), seen(), NOW).start == (Start("app", attempt),)


def test_old_runs_are_removed_but_the_last_two() -> None:
    runs = [ran("app", 1), ran("app", 1, 1), ran("app", 1, 2), ran("app", attempt=3)]
    assert plan(pod(), seen(*runs), NOW).remove == ("app-1", "app-0")


INITS = containers("i1", "i2")
ONLY = {"initContainers": INITS}


@pytest.mark.parametrize(("spec", "observed", "expected"), [
    pytest.param(ONLY, seen(), ["i1"], id="the first one"),
    pytest.param(ONLY, seen(ran("i1")), [], id="it runs"),
    pytest.param(ONLY, seen(ran("i1", 0)), ["i2"], id="then the second"),
    pytest.param(ONLY, seen(ran("i1", 0), ran("i2", 1)), ["i2"], id="it failed and runs again"),
    pytest.param(ONLY, seen(ran("i1", 0), ran("i2", 0, 1)), ["app"], id="then the main ones"),
    pytest.param(ONLY, seen(ran("i2", 0)), ["app"], id="the last one tells, others may be forgotten"),
    pytest.param(ONLY, seen(ran("i1", 0), ran("i2", 0), ran("app")), [], id="all runs"),
    pytest.param(ONLY, seen(ran("app")), [], id="a main container ran, init containers are not needed any more"),
    pytest.param(ONLY, seen(ran("app", 1)), ["app"], id="not even when it ended"),
    pytest.param(ONLY, seen(ran("i1", 0), ran("i2", 0), ran("app", 255), boxes=(box(1), box(0, ready=False))), ["i1"],
                 id="in a new sandbox all begins anew"),
    pytest.param({**ONLY, "restartPolicy": "OnFailure"}, seen(ran("i1", 1)), ["i1"], id="OnFailure"),
    pytest.param({"restartPolicy": "Never", "initContainers": containers("i1", **NEVER_BUT_42)}, seen(ran("i1", 42)),
                 ["i1"], id="an init container's own rule"),
])  # fmt: skip
def test_init_containers(spec: dict[str, Any], observed: ObservedPod, expected: list[str]) -> None:
    assert starts(pod(**spec), observed) == expected


@pytest.mark.parametrize(("policy", "own"), [("Never", {}), ("Always", {"restartPolicy": "Never"})])
def test_an_init_container_that_failed_for_good_ends_the_pod(policy: str, own: dict[str, Any]) -> None:
    spec = pod(restartPolicy=policy, initContainers=containers("i1", **own))
    assert plan(spec, seen(ran("i1", 1)), NOW).finished


PROBED = sidecar(startupProbe={"exec": {"command": ["true"]}})
UP = {"side-0": Health(started=True)}


@pytest.mark.parametrize(("inits", "observed", "expected"), [
    pytest.param([sidecar()], seen(), ["side"], id="the sidecar comes first"),
    pytest.param([sidecar()], seen(ran("side")), ["app"], id="then the main one"),
    pytest.param([PROBED], seen(ran("side")), [], id="not before its startup probe"),
    pytest.param([PROBED], seen(ran("side"), health=UP), ["app"], id="after it"),
    pytest.param([sidecar(readinessProbe={"exec": {}})], seen(ran("side")), ["app"], id="readiness does not matter"),
    pytest.param([sidecar(), *containers("i1")], seen(ran("side")), ["i1"], id="the next init container"),
    pytest.param([sidecar(), *containers("i1")], seen(ran("side", 1), ran("i1")), ["side"],
                 id="kept running beside a later init container"),
    pytest.param([sidecar(), *containers("i1")], seen(ran("side", 0), ran("i1", 0)), ["side", "app"],
                 id="an earlier sidecar that ended keeps nobody waiting"),
    pytest.param([*containers("i1"), sidecar()], seen(ran("i1", 0), ran("side", 0)), ["side"],
                 id="the last one does, while no main container runs"),
    pytest.param([sidecar()], seen(ran("side", 0), ran("app")), ["side"], id="it is started again"),
    pytest.param([sidecar()], seen(ran("side", 0), ran("app", 1)), ["side"], id="before a main container is"),
    pytest.param([sidecar()], seen(ran("app")), ["side"], id="also when it was forgotten"),
])  # fmt: skip
def test_sidecars(inits: list[dict[str, Any]], observed: ObservedPod, expected: list[str]) -> None:
    assert starts(pod(initContainers=inits), observed) == expected


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_sidecars_run_again_whatever_the_policy(policy: str) -> None:
    assert starts(pod(restartPolicy=policy, initContainers=[sidecar()]), seen(ran("side", 0), ran("app"))) == ["side"]


@pytest.mark.parametrize(("run", "health", "message"), [
    (ran("side"), Health(live=False), "Init container side failed liveness probe"),
    (ran("side"), Health(startup_failed=True), "Init container side failed startup probe"),
    (ran("side", annotations={SHAPE_LABEL: "other"}), Health(), "Init container side definition changed"),
    (ran("side", state=ContainerState.UNKNOWN), Health(),
     'Init container is in "unknown" state, try killing it before restart'),
])  # fmt: skip
def test_a_broken_sidecar_is_replaced(run: Any, health: Health, message: str) -> None:
    spec = pod(restartPolicy="Never", initContainers=[sidecar()])
    decided = plan(spec, seen(run, ran("app"), health={"side-0": health}), NOW)
    assert decided == PodPlan(kill=(Kill("side-0", "side", message),), start=(Start("side", 1),))


def test_a_running_init_container_is_left_alone() -> None:
    run = ran("i1", annotations={SHAPE_LABEL: "other"})
    assert plan(pod(initContainers=containers("i1")), seen(run), NOW) == PodPlan()


def test_a_pod_of_sidecars_is_over_when_its_main_containers_are() -> None:
    spec = pod(restartPolicy="Never", initContainers=[sidecar()])
    assert plan(spec, seen(ran("side"), ran("app", 0)), NOW).finished


DEBUG: dict[str, Any] = {"ephemeralContainers": [{"name": "debug", "image": "tools:1"}]}
AIMED = {"ephemeralContainers": [{"name": "debug", "image": "tools:1", "targetContainerName": "app"}]}
TOLD = {"ephemeralContainerStatuses": [{"name": "debug", "containerID": "containerd://gone"}]}


@pytest.mark.parametrize(("status", "spec", "observed", "expected"), [
    pytest.param({}, DEBUG, seen(boxes=()), (), id="not before the sandbox is there"),
    pytest.param({}, DEBUG, seen(ran("app")), (Start("debug", 0),), id="started beside what runs"),
    pytest.param({}, {**DEBUG, **ONLY}, seen(ran("i1")), (Start("debug", 0),), id="also while init containers run"),
    pytest.param({}, AIMED, seen(ran("app", attempt=2)), (Start("debug", 0, target_id="app-2"),), id="with a target"),
    pytest.param({}, AIMED, seen(ran("app", 0), ran("app", attempt=1)), (Start("debug", 0, target_id="app-1"),),
                 id="the newest run of it"),
    pytest.param({}, DEBUG, seen(ran("app"), ran("debug")), (), id="it runs"),
    pytest.param({}, DEBUG, seen(ran("app"), ran("debug", 1)), (), id="it ended, and is never started again"),
    pytest.param({}, DEBUG, seen(ran("debug", 1), boxes=(box(1), box(0, ready=False))), (first("app"),),
                 id="not in a new sandbox either"),
    pytest.param(TOLD, DEBUG, seen(ran("app")), (), id="nor when the runtime forgot it"),
    pytest.param({}, DEBUG, seen(ran("app"), failures={"debug": Failure("ErrImagePull", "", NOW + 1)}), (),
                 id="its image could not be pulled a moment ago"),
])  # fmt: skip
def test_ephemeral_containers(
    status: dict[str, Any], spec: dict[str, Any], observed: ObservedPod, expected: tuple[Start, ...]
) -> None:
    assert plan(pod(status, **spec), observed, NOW).start == expected


def test_a_pod_is_over_whatever_its_ephemeral_containers_do() -> None:
    assert plan(pod(restartPolicy="Never", **DEBUG), seen(ran("app", 0), ran("debug")), NOW).finished


@pytest.mark.parametrize(("since", "finished", "wake_at"), [
    (NOW - 20, True, None), (NOW - 19, False, NOW + 1), (None, False, None),
])  # fmt: skip
def test_a_deadline(since: float | None, finished: bool, wake_at: float | None) -> None:
    status = {"startTime": format_time(since)} if since is not None else {}
    decided = plan(pod(status, activeDeadlineSeconds=20), seen(ran("app")), NOW)
    assert (decided.finished, decided.wake_at) == (finished, wake_at)


ALL = {
    "restartPolicy": "Never",
    "restartPolicyRules": [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}],
}


def test_a_rule_has_the_whole_pod_start_anew() -> None:
    spec = pod(restartPolicy="Never", initContainers=containers("i1"),
               containers=[*containers("app"), *containers("other", **ALL)], **DEBUG)  # fmt: skip
    everything = (ran("i1", 0), ran("app"), ran("debug"), ran("other", 42))
    assert plan(spec, seen(*everything), NOW) == PodPlan(
        kill=(Kill("app-0", "app", "Stopping container app", at_once=True),), remove=("i1-0", "app-0"), told_first=True
    )
    assert plan(spec, seen(ran("debug"), ran("other", 42)), NOW) == PodPlan(remove=("other-0",), told_first=True)
    assert starts(spec, seen(ran("debug"))) == ["i1"]
    assert not plan(spec, seen(ran("i1", 0), ran("app"), ran("debug"), ran("other", 1)), NOW).steps


def test_it_does_so_when_all_have_ended() -> None:
    spec = pod(restartPolicy="Never", containers=containers("app", **ALL))
    assert not plan(spec, seen(ran("app", 42)), NOW).finished
    assert plan(spec, seen(ran("app", 1)), NOW).finished


def sized(memory: str, **fields: Any) -> list[dict[str, Any]]:
    """A container `app` with a limit of memory."""
    return containers("app", resources={"limits": {"memory": memory}}, **fields)


HAS_1M = ran("app", resources=LinuxResources(memory_limit_in_bytes=1 << 20))
RESTART = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
UNDER_WAY = ResizeState(in_progress=ResizeNote())
FITTED = ResizeState(in_progress=ResizeNote(), fitted=True)
MORE = Resize("app-0", "app", {"memory_limit_in_bytes": 2 << 20})


@pytest.mark.parametrize(("memory", "resize", "expected"), [
    pytest.param("2Mi", ResizeState(), PodPlan(), id="nobody has granted it"),
    pytest.param("2Mi", UNDER_WAY, PodPlan(fit=True, resize=(MORE,)), id="it is granted"),
    pytest.param("1Mi", UNDER_WAY, PodPlan(fit=True), id="the pod's group is to fit, even when no container changes"),
    pytest.param("2Mi", FITTED, PodPlan(fit=True, resize=(MORE,)), id="the runtime does not tell of it"),
    pytest.param("1Mi", FITTED, PodPlan(settled=True), id="all is as it is granted"),
    pytest.param("2Mi", replace(UNDER_WAY, retry_at=NOW + 5), PodPlan(wake_at=NOW + 5), id="it failed just now"),
    pytest.param("1Mi", replace(FITTED, retry_at=NOW + 5), PodPlan(settled=True), id="it came to be in time"),
])  # fmt: skip
def test_resizes(memory: str, resize: ResizeState, expected: PodPlan) -> None:
    assert plan(pod(containers=sized(memory)), seen(HAS_1M, resize=resize), NOW) == expected


def test_a_container_that_is_restarted_for_its_size_is_remembered_until_it_runs() -> None:
    of = pod(restartPolicy="OnFailure", containers=sized("2Mi", resizePolicy=RESTART))
    kill = Kill("app-0", "app", "Container app resize requires restart")
    begun = PodPlan(restarting=("app-0",), kill=(kill,), fit=True, start=(Start("app", 1),))
    assert plan(of, seen(HAS_1M, resize=UNDER_WAY), NOW) == begun
    # It has ended well, which would be the end of this pod.
    ended = ran("app", 0, finished_at=NOW)
    assert plan(of, seen(ended, resize=FITTED), NOW).finished
    left = replace(FITTED, restarting=frozenset({"app-0"}))
    assert plan(of, seen(ended, resize=left), NOW) == PodPlan(start=(again("app"),))
    runs = ran("app", attempt=1, resources=LinuxResources(memory_limit_in_bytes=2 << 20))
    assert plan(of, seen(ended, runs, resize=left), NOW) == PodPlan(settled=True)


def test_what_is_ended_anyway_is_not_resized_before() -> None:
    broken = seen(HAS_1M, resize=UNDER_WAY, health={"app-0": Health(live=False)})
    found = plan(pod(containers=sized("2Mi")), broken, NOW)
    assert (found.fit, found.resize, [kill.name for kill in found.kill]) == (True, (), ["app"])
