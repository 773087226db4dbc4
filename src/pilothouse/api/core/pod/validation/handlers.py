"""Rules for what the kubelet does to a container: probes, and hooks at its start and end."""

from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.names import http_header_name, port_name, port_number
from pilothouse.api.machinery.view import JsonObject

_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
NEGATIVE = "must be greater than or equal to 0"
SIGNALS = (
    "SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO",
    "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGSEGV", "SIGSTKFLT", "SIGSTOP",
    "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM",
    "SIGWINCH", "SIGXCPU", "SIGXFSZ", "SIGRTMIN",
    *(f"SIGRTMIN+{n}" for n in range(1, 16)), *(f"SIGRTMAX-{n}" for n in range(14, 0, -1)), "SIGRTMAX",
)  # fmt: skip
"""What a container on Linux may ask to be stopped with."""
WINDOWS_SIGNALS = ("SIGKILL", "SIGTERM")


def validate_probes(container: JsonObject, errors: FieldErrors, path: str) -> None:
    """The three probes of a container."""
    if (probe := container.get("livenessProbe")) is not None:
        _validate_probe(probe, errors, at(path, "livenessProbe"))
        _validate_one_success(probe, errors, at(path, "livenessProbe"))
    if (probe := container.get("readinessProbe")) is not None:
        _validate_probe(probe, errors, at(path, "readinessProbe"))
        if (grace := probe.get("terminationGracePeriodSeconds")) is not None:
            where = f"{path}.readinessProbe.terminationGracePeriodSeconds"
            errors.invalid(where, grace, "must not be set for readinessProbes")
    if (probe := container.get("startupProbe")) is not None:
        _validate_probe(probe, errors, at(path, "startupProbe"))
        _validate_one_success(probe, errors, at(path, "startupProbe"))


def _validate_one_success(probe: JsonObject, errors: FieldErrors, path: str) -> None:
    if (threshold := probe.get("successThreshold", 0)) != 1:
        errors.invalid(at(path, "successThreshold"), threshold, "must be 1")


def _validate_probe(probe: JsonObject, errors: FieldErrors, path: str) -> None:
    _validate_handler(probe, _PROBE_HANDLERS, None, errors, path)
    for name in _COUNTS:
        value = probe.get(name)
        if value is not None and value < 0:
            errors.invalid(at(path, name), value, NEGATIVE)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        errors.invalid(at(path, "terminationGracePeriodSeconds"), grace, "must be greater than 0")


def validate_lifecycle(lifecycle: JsonObject, grace: int | None, system: str, errors: FieldErrors, path: str) -> None:
    """The hooks of a container, and the signal that stops it."""
    for name in ("postStart", "preStop"):
        if (hook := lifecycle.get(name)) is not None:
            _validate_handler(hook, _HOOK_HANDLERS, grace, errors, at(path, name))
    if signal := lifecycle.get("stopSignal"):
        where = at(path, "stopSignal")
        if not system:
            errors.forbidden(where, "may not be set for containers with empty `spec.os.name`")
        elif system == "windows" and signal not in WINDOWS_SIGNALS:
            errors.not_supported(where, signal, WINDOWS_SIGNALS)
        elif system != "windows" and signal not in SIGNALS:
            errors.not_supported(where, signal, sorted(SIGNALS))


def _validate_handler(
    handler: JsonObject, kinds: tuple[str, ...], grace: int | None, errors: FieldErrors, path: str
) -> None:
    found = False
    for kind in kinds:
        action = handler.get(kind)
        if action is None:
            continue
        if found:
            errors.forbidden(at(path, kind), "may not specify more than 1 handler type")
            continue
        found = True
        _validate_action(kind, action, grace, errors, at(path, kind))
    if not found:
        errors.required(path, "must specify a handler type")


def _validate_action(kind: str, action: JsonObject, grace: int | None, errors: FieldErrors, path: str) -> None:
    match kind:
        case "exec":
            if not action.get("command"):
                errors.required(at(path, "command"))
        case "httpGet":
            _validate_http(action, errors, path)
        case "tcpSocket" | "grpc":
            validate_port(action.get("port", 0), errors, at(path, "port"))
        case "sleep":
            seconds = action.get("seconds", 0)
            if grace is not None and not 0 <= seconds <= grace:
                words = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                errors.invalid(path, seconds, words)


def _validate_http(action: JsonObject, errors: FieldErrors, path: str) -> None:
    if not action.get("path"):
        errors.required(at(path, "path"))
    validate_port(action.get("port", 0), errors, at(path, "port"))
    scheme = action.get("scheme") or ""
    if scheme not in ("HTTP", "HTTPS"):
        errors.not_supported(at(path, "scheme"), scheme, ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        for wrong in http_header_name(name):
            errors.invalid(at(path, "httpHeaders"), name, wrong)


def validate_port(port: int | str, errors: FieldErrors, path: str) -> None:
    """A port by number, or by the name a container gave it."""
    for wrong in port_number(port) if isinstance(port, int) else port_name(port):
        errors.invalid(path, port, wrong)
