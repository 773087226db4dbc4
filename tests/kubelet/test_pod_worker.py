"""A pod's life on a node with a fake runtime, in virtual time."""

import asyncio
import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubelet.harness import FakeCgroups, FakeNode, pod, run
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import ExecResult
from pilothouse.kubelet.observed import Health
from pilothouse.kubelet.status import Verdict
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.fake_cri import Behaviour


def test_a_pod_is_started_and_reported(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        status = node.pods["web"].status
        assert (status.podIP, status.hostIP, status.qosClass) == ("10.88.0.2", "10.0.0.1", "BestEffort")
        assert {one.type: one.status for one in status.conditions} == dict.fromkeys(
            ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
        )
        assert node.state()["ready"]
        assert node.state()["containerID"] == "containerd://container-0002"
        assert node.told.events == [
            ("Normal", "Pulled", 'Container image "app:1" already present on machine and can be accessed by the pod'),
            ("Normal", "Created", "Container created"),
            ("Normal", "Started", "Container started"),
        ]
        assert node.phases["web"] == ["Running"]

    run(tmp_path, story)


def test_ids_of_containers_name_the_runtime(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.runtime_name = "cri-o"
        node.cri.behaviour = lambda _: Behaviour(ends_after=1)
        node.add(pod())
        await node.until(lambda: bool(node.state()["restartCount"]) and "running" in node.state()["state"])
        assert node.state()["containerID"].startswith("cri-o://container-")
        assert node.state()["lastState"]["terminated"]["containerID"] == "cri-o://container-0002"

    run(tmp_path, story)


def test_a_crashing_container_waits_longer_each_time(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ends_after=1, exit_code=3)
        node.add(pod())
        starts: list[float] = []
        for count in range(5):
            await node.until(lambda count=count: node.cri.calls.count("start_container app") > count)  # type: ignore[misc]
            starts.append(node.clock.now())
        gaps = [round(after - before) for before, after in itertools.pairwise(starts)]
        assert gaps == [1, 11, 21, 41]
        await node.until(lambda: "waiting" in node.state()["state"])
        assert node.state()["state"]["waiting"] == {
            "reason": "CrashLoopBackOff",
            "message": "back-off 1m20s restarting failed container=app pod=web_default(uid-web)",
        }
        assert node.state()["lastState"]["terminated"]["exitCode"] == 3
        assert node.state()["restartCount"] == 4
        assert ("Warning", "BackOff", "Back-off restarting failed container app in pod web_default(uid-web)") in (
            node.told.events
        )
        assert node.pods["web"].status.phase == "Running"

    run(tmp_path, story)


@pytest.mark.parametrize(("policy", "code", "phase"), [
    ("Never", 0, "Succeeded"), ("Never", 2, "Failed"), ("OnFailure", 0, "Succeeded"),
])  # fmt: skip
def test_a_pod_that_ends_stays_with_its_containers(tmp_path: Path, policy: str, code: int, phase: str) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ends_after=2, exit_code=code)
        node.add(pod(restartPolicy=policy))
        await node.until(lambda: node.pods["web"].status.phase == phase)
        assert node.state()["state"]["terminated"]["exitCode"] == code
        assert len(await node.cri.containers()) == 1
        assert not (await node.cri.sandboxes())[0].ready
        assert isinstance(node.cgroups, FakeCgroups)
        assert node.cgroups.present == set()
        node.delete_pod("web")
        await node.until(lambda: "web" not in node.pods)
        assert await node.cri.sandboxes() == []

    run(tmp_path, story)


def test_deletion_is_graceful_and_leaves_nothing(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        began = node.clock.now()
        node.delete_pod("web", grace=5)
        await node.until(lambda: "web" not in node.pods)
        assert 5 <= node.clock.now() - began < 6
        assert "stop_container app 5" in node.cri.calls
        assert await node.cri.sandboxes() == []
        assert await node.cri.containers() == []
        assert list((tmp_path / "kubelet" / "pods").iterdir()) == []
        assert list((tmp_path / "logs").iterdir()) == []
        assert isinstance(node.cgroups, FakeCgroups)
        assert node.cgroups.present == set()
        assert ("Normal", "Killing", "Stopping container app") in node.told.events
        assert node.phases["web"][-1] == "Failed"

    run(tmp_path, story)


def test_a_second_deletion_with_less_time_wins(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        began = node.clock.now()
        node.delete_pod("web", grace=300)
        await node.clock.sleep(10)
        node.delete_pod("web", grace=0)
        await node.until(lambda: "web" not in node.pods)
        assert node.clock.now() - began < 15

    run(tmp_path, story)


def test_deletion_interrupts_a_pull(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.pull_seconds = 500
        node.add(pod(containers=[{"name": "app", "image": "other:1"}]))
        await node.until(lambda: "pull_image other:1" in node.cri.calls)
        node.delete_pod("web")
        await node.until(lambda: "web" not in node.pods, seconds=5)

    run(tmp_path, story)


def test_a_pod_that_vanished_from_the_api_is_ended(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        node.vanish("web")
        async with node.clock.timeout(60):
            while await node.cri.sandboxes():
                await node.clock.sleep(0.1)

    run(tmp_path, story)


def test_a_missing_image_is_reported_and_tried_again(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.absent = {"none:1"}
        node.add(pod(containers=[{"name": "app", "image": "none:1"}]))
        error = 'rpc error: code = NotFound desc = failed to pull and unpack image "none:1": none:1: not found'
        await node.until(lambda: node.state()["state"]["waiting"]["reason"] == "ErrImagePull")
        assert node.state()["state"]["waiting"]["message"] == error
        await node.until(lambda: node.state()["state"]["waiting"]["reason"] == "ImagePullBackOff")
        assert node.state()["state"]["waiting"]["message"] == f'Back-off pulling image "none:1": ErrImagePull: {error}'
        node.cri.absent = set()
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        assert node.cri.calls.count("pull_image none:1") == 2

    run(tmp_path, story)


def test_a_missing_config_map_keeps_the_container_from_being_made(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]
        node.add(pod(containers=[{"name": "app", "image": "app:1", "env": env}]))
        await node.until(lambda: "message" in node.state()["state"]["waiting"])
        assert node.state()["state"]["waiting"] == {
            "reason": "CreateContainerConfigError", "message": 'configmap "settings" not found',
        }  # fmt: skip
        assert ("Warning", "Failed", 'Error: configmap "settings" not found') in node.told.events
        node.objects.config_maps["settings"] = {"data": {"a": "1"}}
        await node.until(lambda: node.pods["web"].status.phase == "Running")

    run(tmp_path, story)


def test_a_command_that_cannot_start_is_reported(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(start_error='exec: "nonesuch": executable file not found in $PATH')
        node.add(pod())
        await node.until(lambda: node.state()["state"].get("waiting", {}).get("reason") == "RunContainerError")
        assert "nonesuch" in node.state()["state"]["waiting"]["message"]
        assert node.state()["lastState"]["terminated"]["reason"] == "StartError"

    run(tmp_path, story)


def test_init_containers_run_in_order_before_the_others(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda config: (
            Behaviour(ends_after=1) if config["metadata"]["name"].startswith("init") else Behaviour()
        )
        inits = [{"name": "init1", "image": "app:1"}, {"name": "init2", "image": "app:1"}]
        node.add(pod(initContainers=inits))
        await node.until(
            lambda: node.condition("Initialized") == "False" if node.pods["web"].status.conditions else False
        )
        assert node.state("web", "app")["state"]["waiting"]["reason"] == "PodInitializing"
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        started = [call for call in node.cri.calls if call.startswith("start_container")]
        assert started == ["start_container init1", "start_container init2", "start_container app"]
        assert node.condition("Initialized") == "True"
        assert node.state("web", "init1")["state"]["terminated"]["reason"] == "Completed"

    run(tmp_path, story)


def test_a_sidecar_starts_first_runs_on_and_is_stopped_last(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda config: (
            Behaviour(ends_after=5) if config["metadata"]["name"] == "app" else Behaviour()
        )
        sidecar = {"name": "side", "image": "app:1", "restartPolicy": "Always"}
        node.add(pod(initContainers=[sidecar], restartPolicy="Never"))
        await node.until(lambda: node.pods["web"].status.phase == "Succeeded")
        assert [call for call in node.cri.calls if "container " in call] == [
            "create_container side", "start_container side", "create_container app", "start_container app",
            "stop_container side 30",
        ]  # fmt: skip

    run(tmp_path, story)


def test_a_failed_liveness_probe_restarts_the_container(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        node.prober.verdicts["container-0002"] = Health(started=True, ready=True, live=False)
        node.workers.poke_all()
        await node.until(lambda: node.state()["restartCount"] == 1)
        assert ("Normal", "Killing", "Container app failed liveness probe, will be restarted") in node.told.events

    run(tmp_path, story)


def test_a_lost_sandbox_is_replaced(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        node.cri.lose_sandboxes()
        await node.until(lambda: node.state()["restartCount"] == 1 and node.state()["ready"])
        assert "SandboxChanged" in node.told.reasons()

    run(tmp_path, story)


def test_a_restarted_kubelet_adopts_what_runs(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        calls = list(node.cri.calls)
        from pilothouse.runtime.tasks import Tasks

        async with Tasks() as tasks:
            second = FakeNode(tmp_path, node.clock, tasks, cri=node.cri)
            second.add(node.pods["web"].literal())
            await node.clock.sleep(5)
            assert node.cri.calls == calls
            assert second.pods["web"].status.phase == "Running"

    run(tmp_path, story)


def test_a_deadline_ends_the_pod(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod(activeDeadlineSeconds=20))
        await node.until(lambda: node.pods["web"].status.phase == "Failed")
        status = node.pods["web"].status
        assert status.reason == "DeadlineExceeded"
        assert status.message == "Pod was active on the node longer than the specified deadline"

    run(tmp_path, story)


def test_a_volume_that_cannot_be_made_keeps_the_pod_pending(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod(volumes=[{"name": "v", "secret": {"secretName": "keys"}}]))
        await node.until(lambda: "FailedMount" in node.told.reasons())
        message = 'MountVolume.SetUp failed for volume "v" : secret "keys" not found'
        assert ("Warning", "FailedMount", message) in node.told.events
        assert node.cri.calls == []
        await node.clock.sleep(120)
        # A pod may have 25 events: those that tell of its start are still to come.
        assert node.told.reasons().count("FailedMount") < 10
        node.objects.secrets["keys"] = {"data": {"a": "YQ=="}}
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        directory = node.layout.volume("uid-web", "secret", "v")
        assert (directory / "a").read_bytes() == b"a"
        assert node.mounter.is_mounted(directory)

    run(tmp_path, story)


def test_a_volume_follows_its_config_map(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.objects.config_maps["c"] = {"data": {"a": "one"}}
        node.add(pod(volumes=[{"name": "v", "configMap": {"name": "c"}}]))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        node.objects.config_maps["c"] = {"data": {"b": "two"}}
        await node.clock.sleep(61)
        directory = node.layout.volume("uid-web", "configmap", "v")
        assert not (directory / "a").exists()
        assert (directory / "b").read_text() == "two"

    run(tmp_path, story)


@dataclass
class CountingCgroups(FakeCgroups):
    """Knows how often groups were asked for."""

    asked: int = 0

    def create(self, pod: Pod) -> None:
        self.asked += 1
        super().create(pod)


def test_renewed_volumes_cost_nothing_but_themselves(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        cgroups = node.cgroups = CountingCgroups()
        node.add(pod(volumes=[{"name": "v", "configMap": {"name": "c", "optional": True}}]))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        seen = len(node.objects.asked)
        await node.clock.sleep(200)
        assert len(node.objects.asked) == seen + 3
        assert cgroups.asked == 1
        async with Tasks() as tasks:
            later = FakeNode(tmp_path, node.clock, tasks, cri=node.cri, cgroups=cgroups)
            later.add(node.pods["web"].literal())
            await node.clock.sleep(200)
            assert cgroups.asked == 2, "a kubelet that comes back looks at them once"

    run(tmp_path, story)


def test_a_pod_deleted_before_it_began_has_failed(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.absent = {"none:1"}
        node.add(pod(containers=[{"name": "app", "image": "none:1"}]))
        await node.until(lambda: node.state()["state"]["waiting"]["reason"] == "ErrImagePull")
        node.delete_pod("web")
        await node.until(lambda: "web" not in node.pods)
        assert node.phases["web"][-1] == "Failed"

    run(tmp_path, story)


def test_an_ephemeral_container_is_started_once_among_the_processes_of_its_target(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda config: (
            Behaviour(ends_after=5, exit_code=1) if config["metadata"]["name"] == "debug" else Behaviour()
        )
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        raw = node.pods["web"].literal()
        debug = {"name": "debug", "image": "app:1", "targetContainerName": "app",
                 "terminationMessagePath": "/dev/termination-log"}  # fmt: skip
        raw["spec"]["ephemeralContainers"] = [debug]
        node.add(raw)
        await node.until(lambda: bool(node.pods["web"].status.ephemeralContainerStatuses))
        await node.clock.sleep(700)
        (told,) = node.pods["web"].status.ephemeralContainerStatuses
        assert told.state.terminated.exitCode == 1
        assert node.cri.calls.count("start_container debug") == 1
        (made,) = [one for one in await node.cri.containers() if one.name == "debug"]
        options = node.cri.config_of(made.id)["linux"]["security_context"]["namespace_options"]
        assert (options["pid"], options["target_id"]) == (3, "container-0002")
        node.delete_pod("web")
        await node.until(lambda: "web" not in node.pods)

    run(tmp_path, story)


def test_an_ephemeral_container_without_its_target_is_not_made(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.absent = {"none:1"}
        debug = {"name": "debug", "image": "app:1", "targetContainerName": "app"}
        node.add(pod(containers=[{"name": "app", "image": "none:1"}], ephemeralContainers=[debug]))
        await node.until(lambda: "Failed" in node.told.reasons())
        assert ("Warning", "Failed", "Error: unable to find target container app") in node.told.events
        (told,) = node.pods["web"].status.ephemeralContainerStatuses
        assert told.state.waiting.reason == "CreateContainerConfigError"

    run(tmp_path, story)


def test_a_rule_starts_the_whole_pod_anew_and_all_restarts_count(tmp_path: Path) -> None:
    rules = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}]

    async def story(node: FakeNode) -> None:
        def behaviour(config: JsonObject) -> Behaviour:
            name, attempt = config["metadata"]["name"], config["metadata"]["attempt"]
            if name == "caller" and attempt == 0:
                return Behaviour(ends_after=5, exit_code=42)
            return Behaviour(ends_after=1) if name == "init" else Behaviour()

        node.cri.behaviour = behaviour
        caller = {"name": "caller", "image": "app:1", "restartPolicy": "Never", "restartPolicyRules": rules}
        node.add(pod(restartPolicy="Never", initContainers=[{"name": "init", "image": "app:1"}],
                     containers=[{"name": "app", "image": "app:1"}, caller]))  # fmt: skip
        await node.until(lambda: node.state("web", "caller")["restartCount"] == 1 and node.condition("Ready") == "True")
        assert [call for call in node.cri.calls if "start_container" in call] == [
            "start_container init", "start_container app", "start_container caller",
        ] * 2  # fmt: skip
        assert [node.state("web", name)["restartCount"] for name in ("init", "app", "caller")] == [1, 1, 1]
        assert node.state("web", "caller")["lastState"]["terminated"]["reason"] == "RestartingAllContainers"
        assert node.cri.calls.count("run_sandbox") == 1
        assert set(node.phases["web"]) <= {"Pending", "Running"}
        assert node.condition("AllContainersRestarting") == "False"

    run(tmp_path, story)


def test_a_runtime_class_names_the_handler(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod(runtimeClassName="hard"))
        await node.until(lambda: "FailedCreatePodSandBox" in node.told.reasons())
        message = 'Failed to create pod sandbox: runtimeclasses.node.k8s.io "hard" not found'
        assert ("Warning", "FailedCreatePodSandBox", message) in node.told.events
        node.objects.runtime_classes["hard"] = "runsc"
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        assert "run_sandbox runsc" in node.cri.calls

    run(tmp_path, story)


def test_users_of_its_own_are_refused_with_words(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod(hostUsers=False))
        await node.until(lambda: "FailedCreatePodSandBox" in node.told.reasons())
        why = "can't set `spec.hostUsers: false`, runtime does not support user namespaces"
        why += ': the handler "" is not known'
        assert ("Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {why}") in node.told.events

    run(tmp_path, story)


def test_more_name_servers_than_resolvers_take_are_told_of(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod(dnsConfig={"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3"]}))
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        (message,) = [text for _, reason, text in node.told.events if reason == "DNSConfigForming"]
        assert message.endswith("the applied nameserver line is: 10.96.0.10 1.1.1.1 2.2.2.2")

    run(tmp_path, story)


def test_a_post_start_hook_that_fails_ends_the_container_and_says_why(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        command = ("check", "it")
        node.cri.exec_results[command] = ExecResult(3, b"", b"oops")
        hook = {"lifecycle": {"postStart": {"exec": {"command": list(command)}}}}
        node.add(pod(containers=[{"name": "app", "image": "app:1", **hook}]))
        await node.until(lambda: node.state()["state"].get("waiting", {}).get("reason") == "PostStartHookError")
        assert node.state()["state"]["waiting"]["message"] == (
            'Exec lifecycle hook ([check it]) for Container "app" in Pod "web_default(uid-web)" failed - '
            'error: command "check it" exited with 3: "oops"'
        )
        assert ("Warning", "FailedPostStartHook", "PostStartHook failed") in node.told.events
        await node.until(lambda: node.state()["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff")
        node.cri.exec_results[command] = ExecResult(0)
        await node.until(lambda: bool(node.state()["ready"]))

    run(tmp_path, story)


@pytest.mark.parametrize("offered", [True, False])
def test_groups_that_the_runtime_cannot_leave_out_are_a_reason_to_refuse(tmp_path: Path, offered: bool) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.strict_groups = offered
        node.add(pod(securityContext={"supplementalGroupsPolicy": "Strict"}))
        await node.until(lambda: node.pods["web"].status.phase == ("Running" if offered else "Failed"))
        if offered:
            return
        status, why = node.pods["web"].status, "SupplementalGroupsPolicy=Strict is not supported in this node"
        assert (status.reason, status.message) == (
            "SupplementalGroupsPolicyNotSupported", f"Pod was rejected: {why}",
        )  # fmt: skip
        assert ("Warning", "SupplementalGroupsPolicyNotSupported", why) in node.told.events
        assert not [call for call in node.cri.calls if call.startswith("run_sandbox")]
        node.delete_pod("web")
        await node.until(lambda: "web" not in node.pods)

    run(tmp_path, story)


def test_the_group_of_a_pod_that_is_over_goes_when_nothing_holds_it_any_more(tmp_path: Path) -> None:
    class Held(FakeCgroups):
        held = True

        def remove(self, pod: Pod) -> bool:
            return not self.held and super().remove(pod)

    async def story(node: FakeNode) -> None:
        node.cgroups = groups = Held()
        node.cri.behaviour = lambda _: Behaviour(ends_after=2)
        node.add(pod(restartPolicy="Never"))
        await node.until(lambda: node.pods["web"].status.phase == "Succeeded")
        await node.clock.sleep(5)
        assert groups.present == {"uid-web"}
        groups.held = False
        await node.until(lambda: groups.present == set(), 2)

    run(tmp_path, story)


def test_a_pod_has_stopped_before_its_volumes_are_gone_and_is_cleared_then(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        away = asyncio.Event()

        async def tear_down(uid: str) -> None:
            await away.wait()

        node.services.volumes.tear_down_volumes = tear_down  # type: ignore[method-assign]
        node.workers.end("uid-web", EVICTED)
        async with node.clock.timeout(5):
            await node.workers.stopped("uid-web")
        async with Tasks() as tasks:
            cleared = tasks.spawn(node.workers.cleared("uid-web"), name="cleared")
            await node.clock.sleep(100)
            assert not cleared.done()
            away.set()
            await node.until(cleared.done, 1)

    run(tmp_path, story)


DISRUPTED = {"DisruptionTarget": ("True", "TerminationByKubelet", "The node was low on resource: memory.")}
EVICTED = Verdict("Failed", "Evicted", "The node was low on resource: memory.", DISRUPTED)


@pytest.mark.parametrize(("grace", "seconds"), [(5.0, 5), (None, 30)])
def test_a_pod_that_the_node_ends_fails_when_its_containers_have_ended(
    tmp_path: Path, grace: float | None, seconds: int
) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        began = node.clock.now()
        node.workers.end("uid-web", EVICTED, grace)
        await node.until(lambda: node.pods["web"].status.phase == "Failed")
        assert round(node.clock.now() - began) == seconds
        status = node.pods["web"].status
        assert (status.reason, status.message) == (EVICTED.reason, EVICTED.message)
        (told,) = [one for one in status.conditions if one.type == "DisruptionTarget"]
        assert (told.status, told.reason, told.message) == DISRUPTED["DisruptionTarget"]
        assert node.state()["state"]["terminated"]["exitCode"] == 137
        assert len(await node.cri.containers()) == 1
        node.delete_pod("web")
        await node.until(lambda: "web" not in node.pods)
        assert await node.cri.sandboxes() == []

    run(tmp_path, story)


def test_a_pod_that_is_being_deleted_keeps_its_reason_when_the_node_ends_it_sooner(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        began = node.clock.now()
        node.delete_pod("web", grace=300)
        await node.clock.sleep(1)
        node.workers.end("uid-web", EVICTED, 4)
        reasons = []

        def gone() -> bool:
            reasons.extend([node.pods[name].status.reason for name in node.pods])
            return not node.pods

        await node.until(gone)
        assert round(node.clock.now() - began) == 5
        assert set(reasons) == {""}

    run(tmp_path, story)


def test_a_probe_while_the_node_ends_a_pod_does_not_tell_its_end_too_early(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri.behaviour = lambda _: Behaviour(ignores_signals=True)
        node.add(pod())
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        node.workers.end("uid-web", EVICTED, 20)
        await node.until(lambda: "retired uid-web" in node.prober.attended)
        node.prober.changed()
        await node.clock.sleep(1)
        assert node.pods["web"].status.phase == "Running"
        assert "DisruptionTarget" not in [one.type for one in node.pods["web"].status.conditions]
        await node.until(lambda: node.pods["web"].status.phase == "Failed")

    run(tmp_path, story)


def test_a_disk_that_takes_no_directories_is_told_of(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.layout.root.mkdir()
        node.layout.pods.touch()
        node.add(pod())
        await node.until(lambda: "FailedToMakePodDataDirectories" in node.told.reasons())
        (message,) = {message for _, reason, message in node.told.events if reason == "FailedToMakePodDataDirectories"}
        assert message.startswith("error making pod data directories: ")
        node.layout.pods.unlink()
        await node.until(lambda: node.pods["web"].status.phase == "Running")

    run(tmp_path, story)
