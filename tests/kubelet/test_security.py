"""Security contexts as the runtime takes them, as upstream's security_context.go has them."""

from pathlib import Path
from typing import Any

import pytest

from kubelet.observing import containers, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.security import PolicyBroken, SecurityFacts, container_security, sandbox_security

FACTS = SecurityFacts(Path("/var/lib/kubelet/seccomp"), ("/sys/devices/system/cpu/cpu0/thermal_throttle",))
POD, CONTAINER, NODE, TARGET = range(4)
DEFAULT, UNCONFINED, LOCAL = range(3)
ROOT = Image("sha256:1", uid=0)


def of_container(
    own: JsonObject | None = None, shared: JsonObject | None = None, image: Image = ROOT, target_id: str = "",
    **spec: Any,
) -> JsonObject:  # fmt: skip
    one = pod(containers=containers("app", securityContext=own or {}), securityContext=shared or {}, **spec)
    return container_security(one, one.spec.containers[0], image, FACTS, target_id=target_id)


@pytest.mark.parametrize(("own", "shared", "expected"), [
    ({}, {}, {"privileged": False, "readonly_rootfs": False, "no_new_privs": False, "supplemental_groups": []}),
    ({"privileged": True, "readOnlyRootFilesystem": True}, {}, {"privileged": True, "readonly_rootfs": True}),
    ({"allowPrivilegeEscalation": False}, {}, {"no_new_privs": True}),
    ({"allowPrivilegeEscalation": True}, {}, {"no_new_privs": False}),
    ({"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}, {},
     {"capabilities": {"add_capabilities": ["NET_ADMIN"], "drop_capabilities": ["ALL"]}}),
    ({}, {"runAsUser": 5, "runAsGroup": 6}, {"run_as_user": {"value": 5}, "run_as_group": {"value": 6}}),
    ({"runAsUser": 7}, {"runAsUser": 5, "runAsGroup": 6}, {"run_as_user": {"value": 7}, "run_as_group": {"value": 6}}),
    ({"runAsUser": 0}, {"runAsUser": 5}, {"run_as_user": {"value": 0}}),
    ({}, {"fsGroup": 9, "supplementalGroups": [1, 2]}, {"supplemental_groups": [9, 1, 2]}),
    ({}, {"supplementalGroupsPolicy": "Strict"}, {"supplemental_groups_policy": 1}),
    ({}, {}, {"seccomp": {"profile_type": UNCONFINED}}),
    ({}, {"seccompProfile": {"type": "RuntimeDefault"}}, {"seccomp": {"profile_type": DEFAULT}}),
    ({"seccompProfile": {"type": "Localhost", "localhostProfile": "a/b.json"}},
     {"seccompProfile": {"type": "RuntimeDefault"}},
     {"seccomp": {"profile_type": LOCAL, "localhost_ref": "/var/lib/kubelet/seccomp/a/b.json"}}),
    ({}, {"appArmorProfile": {"type": "RuntimeDefault"}},
     {"apparmor": {"profile_type": DEFAULT}, "apparmor_profile": "runtime/default"}),
    ({"appArmorProfile": {"type": "Unconfined"}}, {"appArmorProfile": {"type": "RuntimeDefault"}},
     {"apparmor": {"profile_type": UNCONFINED}, "apparmor_profile": "unconfined"}),
    ({"appArmorProfile": {"type": "Localhost", "localhostProfile": "mine"}}, {},
     {"apparmor": {"profile_type": LOCAL, "localhost_ref": "mine"}, "apparmor_profile": "localhost/mine"}),
    ({}, {"seLinuxOptions": {"level": "s0"}},
     {"selinux_options": {"user": "", "role": "", "type": "", "level": "s0"}}),
    ({"seLinuxOptions": {"type": "t"}}, {"seLinuxOptions": {"level": "s0"}},
     {"selinux_options": {"user": "", "role": "", "type": "t", "level": ""}}),
    ({"procMount": "Unmasked"}, {}, {"masked_paths": [], "readonly_paths": []}),
])  # fmt: skip
def test_a_containers_own_setting_wins_over_the_pods(own: JsonObject, shared: JsonObject, expected: JsonObject) -> None:
    found = of_container(own, shared)
    assert {name: found.get(name) for name in expected} == expected


def test_what_nobody_asked_for_is_not_said() -> None:
    assert not {"apparmor", "capabilities", "selinux_options", "run_as_group", "supplemental_groups_policy"} & set(
        of_container()
    )


def test_paths_that_tell_too_much_are_hidden() -> None:
    assert of_container()["masked_paths"] == [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap", "/sys/devices/system/cpu/cpu0/thermal_throttle",
    ]  # fmt: skip
    assert of_container()["readonly_paths"] == [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]  # fmt: skip


@pytest.mark.parametrize(("image", "expected"), [
    (Image("x", uid=1000), {"run_as_user": {"value": 1000}}),
    (Image("x", username="app"), {"run_as_username": "app"}),
    (Image("x"), {"run_as_user": {"value": 0}}),
])  # fmt: skip
def test_the_images_user_is_taken_where_the_pod_names_none(image: Image, expected: JsonObject) -> None:
    found = of_container(image=image)
    assert {name: value for name, value in found.items() if name.startswith("run_as")} == expected


@pytest.mark.parametrize(("own", "shared", "image", "message"), [
    ({"runAsUser": 0, "runAsNonRoot": True}, {}, ROOT,
     'container\'s runAsUser breaks non-root policy (pod: "web_default(uid-web)", container: app)'),
    ({}, {"runAsNonRoot": True}, ROOT,
     'container has runAsNonRoot and image will run as root (pod: "web_default(uid-web)", container: app)'),
    ({}, {"runAsNonRoot": True}, Image("x"),
     'container has runAsNonRoot and image will run as root (pod: "web_default(uid-web)", container: app)'),
    ({}, {"runAsNonRoot": True}, Image("x", username="app"),
     ("container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root "
      '(pod: "web_default(uid-web)", container: app)')),
    ({"runAsNonRoot": False}, {"runAsNonRoot": True}, ROOT, ""),
    ({}, {"runAsNonRoot": True, "runAsUser": 1}, ROOT, ""),
    ({}, {"runAsNonRoot": True}, Image("x", uid=1), ""),
])  # fmt: skip
def test_no_root_where_the_pod_forbids_it(own: JsonObject, shared: JsonObject, image: Image, message: str) -> None:
    if not message:
        of_container(own, shared, image)
        return
    with pytest.raises(PolicyBroken) as found:
        of_container(own, shared, image)
    assert str(found.value) == message


@pytest.mark.parametrize(("spec", "target", "expected"), [
    ({}, "", {"network": POD, "ipc": POD, "pid": CONTAINER}),
    ({"hostNetwork": True, "hostPID": True, "hostIPC": True}, "", {"network": NODE, "ipc": NODE, "pid": NODE}),
    ({"shareProcessNamespace": True}, "", {"network": POD, "ipc": POD, "pid": POD}),
    ({}, "c1", {"network": POD, "ipc": POD, "pid": TARGET, "target_id": "c1"}),
    ({"shareProcessNamespace": True}, "c1", {"network": POD, "ipc": POD, "pid": POD}),
    ({"hostPID": True}, "c1", {"network": POD, "ipc": POD, "pid": NODE}),
])  # fmt: skip
def test_namespaces(spec: dict[str, Any], target: str, expected: JsonObject) -> None:
    assert of_container(target_id=target, **spec)["namespace_options"] == expected


@pytest.mark.parametrize(("context", "expected"), [
    ({}, {"seccomp": {"profile_type": DEFAULT}, "supplemental_groups": [], "privileged": False}),
    ({"seccompProfile": {"type": "Unconfined"}}, {"seccomp": {"profile_type": DEFAULT}}),
    ({"runAsUser": 5, "runAsGroup": 6}, {"run_as_user": {"value": 5}, "run_as_group": {"value": 6}}),
    ({"runAsGroup": 6}, {"run_as_group": None}),
    ({"fsGroup": 9, "supplementalGroups": [1]}, {"supplemental_groups": [9, 1]}),
    ({"seLinuxOptions": {"level": "s0"}}, {"selinux_options": {"user": "", "role": "", "type": "", "level": "s0"}}),
])  # fmt: skip
def test_sandboxes(context: JsonObject, expected: JsonObject) -> None:
    found = sandbox_security(pod(securityContext=context))
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize("kind", ["containers", "initContainers", "ephemeralContainers"])
def test_one_privileged_container_makes_the_sandbox_privileged(kind: str) -> None:
    spec: dict[str, Any] = {kind: containers("x", securityContext={"privileged": True})}
    assert sandbox_security(pod(**spec))["privileged"]


@pytest.mark.parametrize(("profile", "default", "kind"), [
    ({}, False, UNCONFINED), ({}, True, DEFAULT), ({"type": "Unconfined"}, True, UNCONFINED),
    ({"type": "RuntimeDefault"}, False, DEFAULT),
])  # fmt: skip
def test_the_owner_says_what_no_word_of_seccomp_means(profile: JsonObject, default: bool, kind: int) -> None:
    facts = SecurityFacts(Path("/seccomp"), (), default)
    one = pod(containers=containers("app"), securityContext={"seccompProfile": profile} if profile else {})
    assert container_security(one, one.spec.containers[0], ROOT, facts)["seccomp"] == {"profile_type": kind}
