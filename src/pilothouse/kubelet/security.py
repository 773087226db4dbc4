"""Security contexts of pods and containers as the runtime takes them: pure.

A container's own setting wins over the pod's. The sandbox holds namespaces and nothing else, so it always runs under
the runtime's own seccomp profile. API page: "Configure a Security Context for a Pod or Container".
"""

from dataclasses import dataclass
from pathlib import Path

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import (
    AppArmorProfile,
    Container,
    Pod,
    PodSecurityContext,
    SeccompProfile,
    SELinuxOptions,
)
from pilothouse.kubelet.containers import describe, every
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.cri.messages import enum_value

_MASKED = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
)  # fmt: skip
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


class PolicyBroken(Exception):
    """What the spec asks for cannot be granted: a container would run as root, or without its own users."""


def _mode(name: str) -> int:
    return enum_value("NamespaceMode", name)


def namespaces(pod: Pod) -> JsonObject:
    """Which of the host's namespaces the pod shares."""
    spec = pod.spec
    own_pid = "POD" if spec.shareProcessNamespace else "CONTAINER"
    return {
        "network": _mode("NODE" if spec.hostNetwork else "POD"),
        "ipc": _mode("NODE" if spec.hostIPC else "POD"),
        "pid": _mode("NODE" if spec.hostPID else own_pid),
    }


def _with_target(options: JsonObject, target_id: str) -> JsonObject:
    if target_id and options["pid"] == _mode("CONTAINER"):
        return options | {"pid": _mode("TARGET"), "target_id": target_id}
    return options


def groups(pod: Pod) -> list[int]:
    """Groups that the processes are in besides their own."""
    context = pod.spec.securityContext
    own = list(context.supplementalGroups)
    return own if context.fsGroup is None else [context.fsGroup, *own]


def seccomp(profile: SeccompProfile, facts: "SecurityFacts") -> JsonObject:
    """The profile's message; what none given means, the node's owner says."""
    kind = profile.type or ("RuntimeDefault" if facts.seccomp_default else "Unconfined")
    message: JsonObject = {"profile_type": enum_value("ProfileType", kind)}
    local = {"localhost_ref": str(facts.profiles / profile.localhostProfile)} if kind == "Localhost" else {}
    return message | local


def app_armor(profile: AppArmorProfile) -> JsonObject:
    """The profile's message, also in the words that older runtimes read; empty for none given."""
    kind, name = profile.type, profile.localhostProfile
    if not kind:
        return {}
    words = {"RuntimeDefault": "runtime/default", "Unconfined": "unconfined"}.get(kind, f"localhost/{name}")
    message: JsonObject = {"profile_type": enum_value("ProfileType", kind)}
    return {
        "apparmor": message | ({"localhost_ref": name} if kind == "Localhost" else {}),
        "apparmor_profile": words,
    }


def _selinux(options: SELinuxOptions) -> JsonObject:
    names = ("user", "role", "type", "level")
    return {"selinux_options": {name: getattr(options, name) for name in names}} if options else {}


def _shared(context: PodSecurityContext) -> JsonObject:
    """What sandbox and containers have alike."""
    policy = context.supplementalGroupsPolicy
    return {"supplemental_groups_policy": enum_value("SupplementalGroupsPolicy", policy)} if policy else {}


def sandbox_security(pod: Pod) -> JsonObject:
    """Of the sandbox."""
    context = pod.spec.securityContext
    message: JsonObject = {
        "namespace_options": namespaces(pod),
        "seccomp": {"profile_type": enum_value("ProfileType", "RuntimeDefault")},
        "supplemental_groups": groups(pod),
        "privileged": any(one.securityContext.privileged or False for one in every(pod)),
    }
    if context.runAsUser is not None:
        message["run_as_user"] = {"value": context.runAsUser}
        if context.runAsGroup is not None:
            message["run_as_group"] = {"value": context.runAsGroup}
    return message | _shared(context) | _selinux(context.seLinuxOptions)


@dataclass(frozen=True, slots=True)
class SecurityFacts:
    """What security contexts take from the node."""

    profiles: Path
    """Directory of seccomp profiles."""
    hot_paths: tuple[str, ...] = ()
    """Of this machine's processors: they tell of their heat, by which neighbours can be overheard."""
    seccomp_default: bool = False
    """Whether what says nothing of seccomp runs under the runtime's own profile."""


def container_security(
    pod: Pod, container: Container, image: Image, facts: SecurityFacts, *, target_id: str = ""
) -> JsonObject:  # fmt: skip
    """Of one container, in the PID namespace of the target. Raises PolicyBroken where runAsNonRoot forbids the user."""
    own, shared = container.securityContext, pod.spec.securityContext
    user = own.runAsUser if own.runAsUser is not None else shared.runAsUser
    group = own.runAsGroup if own.runAsGroup is not None else shared.runAsGroup
    non_root = own.runAsNonRoot if own.runAsNonRoot is not None else shared.runAsNonRoot
    if non_root:
        _require_non_root(pod, container, image, user)
    message: JsonObject = {
        "namespace_options": _with_target(namespaces(pod), target_id),
        "privileged": bool(own.privileged),
        "readonly_rootfs": bool(own.readOnlyRootFilesystem),
        "no_new_privs": own.allowPrivilegeEscalation is False,
        "supplemental_groups": groups(pod),
        "seccomp": seccomp(own.seccompProfile or shared.seccompProfile, facts),
        "masked_paths": [] if own.procMount == "Unmasked" else [*_MASKED, *facts.hot_paths],
        "readonly_paths": [] if own.procMount == "Unmasked" else list(_READ_ONLY),
    }
    message |= _shared(shared) | _selinux(own.seLinuxOptions or shared.seLinuxOptions)
    message |= app_armor(own.appArmorProfile or shared.appArmorProfile)
    if own.capabilities:
        message["capabilities"] = {
            "add_capabilities": list(own.capabilities.add), "drop_capabilities": list(own.capabilities.drop),
        }  # fmt: skip
    return message | _user(image, user, group)


def _user(image: Image, user: int | None, group: int | None) -> JsonObject:
    if user is None and image.uid is None and image.username:
        message: JsonObject = {"run_as_username": image.username}
    else:
        message = {"run_as_user": {"value": user if user is not None else image.uid or 0}}
    return message | ({"run_as_group": {"value": group}} if group is not None else {})


def _require_non_root(pod: Pod, container: Container, image: Image, user: int | None) -> None:
    where = f'(pod: "{describe(pod)}", container: {container.name})'
    if user is not None:
        if user == 0:
            raise PolicyBroken(f"container's runAsUser breaks non-root policy {where}")
    elif image.uid == 0 or (image.uid is None and not image.username):
        raise PolicyBroken(f"container has runAsNonRoot and image will run as root {where}")
    elif image.uid is None:
        raise PolicyBroken(
            f"container has runAsNonRoot and image has non-numeric user ({image.username}), "
            f"cannot verify user is non-root {where}"
        )
