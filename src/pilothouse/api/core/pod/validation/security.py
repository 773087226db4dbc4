"""Rules for security contexts: of a pod, of a container, and the profiles both may name."""

import re

from pilothouse.api.core.pod.validation.paths import local_descending
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, at, index
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.view import JsonObject

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = rf"({_SYSCTL_SEGMENT}[\./])*{_SYSCTL_SEGMENT}"
_SYSCTL_RE = re.compile(_SYSCTL)
_SYSCTL_LENGTH = 253
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "fs.mqueue.")
_PROFILE = {"Type": "", "LocalhostProfile": None}
_CONTEXT = {
    "Capabilities": {"Add": None, "Drop": None}, "Privileged": None,
    "SELinuxOptions": {"User": "", "Role": "", "Type": "", "Level": ""},
    "WindowsOptions": {
        "GMSACredentialSpecName": None, "GMSACredentialSpec": None, "RunAsUserName": None, "HostProcess": None,
    },
    "RunAsUser": None, "RunAsGroup": None, "RunAsNonRoot": None, "ReadOnlyRootFilesystem": None,
    "AllowPrivilegeEscalation": None, "ProcMount": None, "SeccompProfile": _PROFILE, "AppArmorProfile": _PROFILE,
}  # fmt: skip
_MAX_ID = "must be between 0 and 2147483647, inclusive"


def _identity(value: int, errors: FieldErrors, path: str) -> None:
    if not 0 <= value <= 0x7FFFFFFF:
        errors.invalid(path, value, _MAX_ID)


def validate_security_context(security: JsonObject, host_users: bool, errors: FieldErrors, path: str) -> None:
    """Rules of a container's context."""
    get = security.get
    for name in ("runAsUser", "runAsGroup"):
        if (value := get(name)) is not None:
            _identity(value, errors, at(path, name))
    if (mount := get("procMount")) is not None:
        if mount not in ("Default", "Unmasked"):
            errors.not_supported(at(path, "procMount"), mount, ("Default", "Unmasked"))
        if host_users and mount == "Unmasked":
            errors.invalid(at(path, "procMount"), mount, "`hostUsers` must be false to use `Unmasked`")
    if (profile := get("seccompProfile")) is not None:
        _validate_seccomp(profile, errors, at(path, "seccompProfile"))
    if get("allowPrivilegeEscalation") is False:
        if get("privileged"):
            words = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            errors.invalid(path, as_go_shows(security, _CONTEXT), words)
        if "CAP_SYS_ADMIN" in ((get("capabilities") or {}).get("add") or ()):
            words = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            errors.invalid(path, as_go_shows(security, _CONTEXT), words)
    if (windows := get("windowsOptions")) is not None:
        _validate_windows_options(windows, errors, at(path, "windowsOptions"))
    if (profile := get("appArmorProfile")) is not None:
        validate_app_armor(profile, errors, at(path, "appArmorProfile"))


def validate_pod_security_context(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Rules of the pod's context, some of which look at the host's namespaces."""
    security = spec.get("securityContext") or {}
    get = security.get
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        if (value := get(name)) is not None:
            _identity(value, errors, at(path, name))
    for position, group in enumerate(get("supplementalGroups") or ()):
        _identity(group, errors, f"{path}.supplementalGroups[{position}]")
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        words = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.invalid(at(path, "shareProcessNamespace"), True, words)
    if sysctls := get("sysctls"):
        _validate_sysctls(sysctls, spec, errors, at(path, "sysctls"))
    _one_of(security, "fsGroupChangePolicy", ("Always", "OnRootMismatch"), errors, path)
    if (profile := get("seccompProfile")) is not None:
        _validate_seccomp(profile, errors, at(path, "seccompProfile"))
    if (windows := get("windowsOptions")) is not None:
        _validate_windows_options(windows, errors, at(path, "windowsOptions"))
    if (profile := get("appArmorProfile")) is not None:
        validate_app_armor(profile, errors, at(path, "appArmorProfile"))
    _one_of(security, "supplementalGroupsPolicy", ("Merge", "Strict"), errors, path)
    _one_of(security, "seLinuxChangePolicy", ("MountOption", "Recursive"), errors, path)


def _one_of(security: JsonObject, name: str, allowed: tuple[str, ...], errors: FieldErrors, path: str) -> None:
    value = security.get(name)
    if value is not None and value not in allowed:
        errors.not_supported(at(path, name), value, allowed)


def _validate_sysctls(sysctls: list[JsonObject], spec: JsonObject, errors: FieldErrors, path: str) -> None:
    seen: set[str] = set()
    for position, sysctl in enumerate(sysctls):
        name, where = sysctl.get("name") or "", at(index(path, position), "name")
        if not name:
            errors.required(where)
        elif len(name) > _SYSCTL_LENGTH or not _SYSCTL_RE.fullmatch(name):
            errors.invalid(where, name, f"must have at most {_SYSCTL_LENGTH} characters and match regex ^{_SYSCTL}$")
        elif name in seen:
            errors.duplicate(where, name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            errors.invalid(where, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and (dotted == "kernel.sem" or dotted.startswith(_IPC_SYSCTLS)):
            errors.invalid(where, name, "may not be specified when 'hostIPC' is true")
        seen.add(name)


def _validate_seccomp(profile: JsonObject, errors: FieldErrors, path: str) -> None:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        errors.required(at(path, "type"), "type is required when seccompProfile is set")
    elif kind not in _PROFILES:
        errors.not_supported(at(path, "type"), kind, _PROFILES)
    if kind == "Localhost":
        if local is None:
            errors.required(at(path, "localhostProfile"), "must be set when seccomp type is Localhost")
        else:
            local_descending(local, errors, at(path, "localhostProfile"))
    elif local is not None:
        words = "can only be set when seccomp type is Localhost"
        errors.invalid(at(path, "localhostProfile"), as_go_shows(profile, _PROFILE), words)


def validate_app_armor(profile: JsonObject, errors: FieldErrors, path: str) -> None:
    """An AppArmor profile: one of the node's, the runtime's own, or none."""
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    where = at(path, "localhostProfile")
    if kind == "Localhost":
        if local is None or not local:
            errors.required(where, "must be set when AppArmor type is Localhost")
        elif local != local.strip():
            errors.invalid(where, local, "must not be padded with whitespace")
        if local and len(local) > 4095:
            errors.too_long(where, 4095)
    elif kind in _PROFILES:
        if local is not None:
            errors.invalid(where, local, "can only be set when AppArmor type is Localhost")
    elif not kind:
        errors.required(at(path, "type"), "type is required when appArmorProfile is set")
    else:
        errors.not_supported(at(path, "type"), kind, _PROFILES)


def _validate_windows_options(options: JsonObject, errors: FieldErrors, path: str) -> None:
    name, spec, user = (options.get(key) for key in ("gmsaCredentialSpecName", "gmsaCredentialSpec", "runAsUserName"))
    for wrong in dns_subdomain(name) if name is not None else ():
        errors.invalid(at(path, "gmsaCredentialSpecName"), name, wrong)
    if spec is not None and not spec:
        errors.invalid(at(path, "gmsaCredentialSpec"), spec, "gmsaCredentialSpec cannot be an empty string")
    elif spec is not None and len(spec) > 64 * 1024:
        errors.invalid(at(path, "gmsaCredentialSpec"), spec, "gmsaCredentialSpec size must be under 64 KiB")
    if user is not None and not user:
        errors.invalid(at(path, "runAsUserName"), user, "runAsUserName cannot be an empty string")
    elif user is not None and user.count("\\") > 1:
        words = "runAsUserName cannot contain more than one backslash"
        errors.invalid(at(path, "runAsUserName"), user, words)


_NOT_ON_WINDOWS_POD = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser",
    "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
)  # fmt: skip
_NOT_ON_WINDOWS_SPEC = ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace")
_NOT_ON_WINDOWS_CONTAINER = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip


def all_containers(spec: JsonObject) -> list[tuple[str, JsonObject]]:
    """Every container of a pod with its path below the spec, in upstream's order of visiting."""
    return [
        (index(kind, position), container)
        for kind in ("initContainers", "containers", "ephemeralContainers")
        for position, container in enumerate(spec.get(kind) or ())
    ]


def validate_for_system(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """What a pod says of itself must exist on the operating system it is for."""
    system = (spec.get("os") or {}).get("name") or ""
    security = spec.get("securityContext") or {}
    if system == "linux":
        words = "windows options cannot be set for a linux pod"
        if security.get("windowsOptions") is not None:
            errors.forbidden(f"{path}.securityContext.windowsOptions", words)
        for where, container in all_containers(spec):
            if (container.get("securityContext") or {}).get("windowsOptions") is not None:
                errors.forbidden(f"{path}.{where}.securityContext.windowsOptions", words)
        return
    words = "cannot be set for a windows pod"
    for name in _NOT_ON_WINDOWS_SPEC:
        if spec.get(name) not in (None, *((False,) if name in ("hostPID", "hostIPC") else ())):
            errors.forbidden(at(path, name), words)
    for name in _NOT_ON_WINDOWS_POD:
        if security.get(name) is not None:
            errors.forbidden(f"{path}.securityContext.{name}", words)
    for where, container in all_containers(spec):
        own = container.get("securityContext") or {}
        for name in _NOT_ON_WINDOWS_CONTAINER:
            if own.get(name) is not None:
                errors.forbidden(f"{path}.{where}.securityContext.{name}", words)


def validate_host_process(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Windows containers on the host itself: all of a pod's or none, on the host's network."""
    pod_wide = ((spec.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
    containers = all_containers(spec)
    count = 0
    for where, container in containers:
        own = ((container.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
        if pod_wide is not None and own is not None and own != pod_wide:
            shown = "true" if pod_wide else "false"
            words = f"pod hostProcess value must be identical if both are specified, was {shown}"
            errors.invalid(f"{path}.{where}.securityContext.windowsOptions.hostProcess", own, words)
        count += bool(pod_wide if own is None else own)
    if not count:
        return
    if count != len(containers):
        words = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        errors.invalid(path, "", words)
    if not spec.get("hostNetwork"):
        words = "hostNetwork must be true if pod contains any hostProcess containers"
        errors.invalid(at(path, "hostNetwork"), False, words)
