"""Webhooks that are asked at admission: where they are, what they are asked about, and what if they do not answer.

Sources of the facts: pkg/apis/admissionregistration/v1/defaults.go,
pkg/apis/admissionregistration/validation/validation.go, apiserver/pkg/util/webhook/validation.go.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from pilothouse.api.admissionregistration.matching import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    default_rules,
    default_selection,
    validate_conditions,
    validate_rule,
)
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import (
    dns1035_label,
    dns_subdomain,
    port_number,
    validate_fully_qualified_name,
)
from pilothouse.api.machinery.repeats import repeats
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.text_rules import validate_choice, validate_text
from pilothouse.api.machinery.view import JsonObject

_VERSIONS = ("v1", "v1beta1")
"""Of AdmissionReview, that a server can send."""
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REINVOCATION = ("IfNeeded", "Never")
_FORM = "; desired format: https://host[/path]"


def default_webhooks(obj: JsonObject, *, mutating: bool) -> None:
    """What is not answered in ten seconds fails the request."""
    for hook in obj.get("webhooks") or ():
        if hook.get("failurePolicy") is None:
            hook["failurePolicy"] = "Fail"
        default_selection(hook)
        if hook.get("timeoutSeconds") is None:
            hook["timeoutSeconds"] = 10
        if mutating and hook.get("reinvocationPolicy") is None:
            hook["reinvocationPolicy"] = "Never"
        default_rules(hook.get("rules"))
        service = (hook.get("clientConfig") or {}).get("service")
        if service is not None and service.get("port") is None:
            service["port"] = 443


def validate_webhooks(obj: JsonObject, errors: FieldErrors) -> None:
    """Each has a name of its own."""
    seen = set()
    for position, hook in enumerate(obj.get("webhooks") or ()):
        path, name = index("webhooks", position), hook.get("name") or ""
        _validate_webhook(hook, errors, path)
        _validate_versions(hook.get("admissionReviewVersions") or [], errors, at(path, "admissionReviewVersions"))
        if name in seen:
            errors.duplicate(at(path, "name"), name)
        if name:
            seen.add(name)


def _validate_webhook(hook: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_fully_qualified_name(hook.get("name") or "", errors, at(path, "name"))
    for position, rule in enumerate(hook.get("rules") or ()):
        validate_rule(rule, errors, index(at(path, "rules"), position))
    for name, choices in (("failurePolicy", FAILURE_POLICIES), ("matchPolicy", MATCH_POLICIES)):
        if (value := hook.get(name)) is not None:
            validate_choice(value, choices, errors, at(path, name))
    effects, where = hook.get("sideEffects"), at(path, "sideEffects")
    if effects is None:
        errors.required(where, f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    else:
        validate_choice(effects, _SIDE_EFFECTS, errors, where)
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        words = "the timeout value must be between 1 and 30 seconds"
        errors.invalid(at(path, "timeoutSeconds"), seconds, words)
    for name in ("namespaceSelector", "objectSelector"):
        validate_label_selector(hook.get(name), errors, at(path, name))
    if (again := hook.get("reinvocationPolicy")) is not None:
        validate_choice(again, _REINVOCATION, errors, at(path, "reinvocationPolicy"))
    _validate_client(hook.get("clientConfig") or {}, errors, at(path, "clientConfig"))
    validate_conditions(hook.get("matchConditions"), errors, at(path, "matchConditions"))


def _validate_versions(versions: Sequence[str], errors: FieldErrors, path: str) -> None:
    known = ", ".join(_VERSIONS)
    if not versions:
        errors.required(path, f"must specify one of {known}")
        return
    again = set(repeats(versions))
    for position, version in enumerate(versions):
        if position in again:
            errors.invalid(index(path, position), version, "duplicate version")
        else:
            validate_text(version, dns1035_label, errors, index(path, position))
    if not set(versions) & set(_VERSIONS):
        errors.invalid(path, list(versions), f"must include at least one of {known}")


def _validate_client(client: JsonObject, errors: FieldErrors, path: str) -> None:
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        errors.required(path, "exactly one of url or service is required")
    elif url is not None:
        _validate_url(url, errors, at(path, "url"))
    elif service is not None:
        validate_service(service, errors, at(path, "service"))


def _validate_url(url: str, errors: FieldErrors, path: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as problem:
        errors.required(path, f"url must be a valid URL: {problem}{_FORM}")
        return
    user, at_sign, host = parts.netloc.rpartition("@")
    if parts.scheme != "https":
        errors.invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not host:
        errors.invalid(path, host, f"host must be specified{_FORM}")
    if at_sign:
        errors.invalid(path, user, "user information is not permitted in the URL")
    if parts.fragment:
        errors.invalid(path, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        errors.invalid(path, parts.query, "query parameters are not permitted in the URL")


def validate_service(service: JsonObject, errors: FieldErrors, path: str) -> None:
    """A Service, a port and a path of it."""
    for name in ("name", "namespace"):
        if not service.get(name):
            errors.required(at(path, name), f"service {name} is required")
    port = service.get("port") or 0
    if wrongs := port_number(port):
        errors.invalid(at(path, "port"), port, f"port is not valid: {','.join(wrongs)}")
    _validate_path(service.get("path") or "", errors, at(path, "path"))


def _validate_path(target: str, errors: FieldErrors, path: str) -> None:
    if target in ("", "/"):
        return
    if target == "//":
        errors.invalid(path, target, "segment[0] may not be empty")
        return
    if not target.startswith("/"):
        errors.invalid(path, target, "must start with a '/'")
    for position, step in enumerate(target[1:].removesuffix("/").split("/")):
        if not step:
            errors.invalid(path, target, f"segment[{position}] may not be empty")
        for wrong in dns_subdomain(step) if step else ():
            errors.invalid(path, target, f"segment[{position}]: {wrong}")
