"""Rules for requests and limits, of a container and of a pod as a whole."""

from collections.abc import Collection

from pilothouse.api.core.pod.resources import amounts, container_sum, is_pod_level, quantity
from pilothouse.api.machinery.field import FieldError, FieldErrorKind, FieldErrors, at, index
from pilothouse.api.machinery.names import dns_label, label_key
from pilothouse.api.machinery.quantity import Quantity
from pilothouse.api.machinery.view import JsonObject

_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_STANDARD = frozenset({
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu",
    "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers",
    "secrets", "configmaps", "persistentvolumeclaims", "storage", "requests.storage", "services.nodeports",
    "services.loadbalancers",
})  # fmt: skip
_HUGE = "hugepages-"
_WHOLE_NUMBERS = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
_ZERO = quantity("0")


def is_native(name: str) -> bool:
    """Whether Kubernetes itself defines the resource."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether it is a countable resource of somebody's device, such as `example.com/gpu`."""
    return not is_native(name) and not name.startswith("requests.") and not label_key(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    """Whether requests may stay below limits."""
    return is_native(name) and not name.startswith(_HUGE)


def validate_resource_name(name: str, errors: FieldErrors, path: str) -> bool:
    """A standard name or one with a domain. Returns whether it is good."""
    wrongs = label_key(name)
    for wrong in wrongs:
        errors.invalid(path, name, wrong)
    if wrongs:
        return False
    if "/" not in name and name not in _STANDARD and not name.startswith((_HUGE, "requests.hugepages-")):
        errors.invalid(path, name, "must be a standard resource type or fully qualified")
        return False
    return True


def validate_container_resource_name(name: str, errors: FieldErrors, path: str) -> None:
    """A resource that a container can have."""
    if name in _CONTAINER:
        return
    validate_resource_name(name, errors, path)
    if "/" not in name:
        if not name.startswith(_HUGE):
            errors.invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        errors.invalid(path, name, "doesn't follow extended resource name standard")


def _validate_pod_resource_name(name: str, errors: FieldErrors, path: str) -> None:
    if validate_resource_name(name, errors, path) and not is_pod_level(name):
        errors.not_supported(path, name, ("cpu", "hugepages-", "memory"))


def validate_amount(name: str, text: str, errors: FieldErrors, path: str) -> Quantity | None:
    """Not negative, and whole for what is counted. Returns the amount, None where it is no quantity."""
    try:
        amount = quantity(text)
    except ValueError as problem:
        errors.invalid(path, text, str(problem))
        return None
    if amount < _ZERO:
        errors.invalid(path, str(amount), "must be greater than or equal to 0")
    if name not in _CONTAINER and (name in _WHOLE_NUMBERS or is_extended(name)) and amount.milli() % 1000:
        errors.invalid(path, str(amount), "must be an integer")
    return amount


def validate_requirements(
    requirements: JsonObject, claim_names: Collection[str], errors: FieldErrors, path: str, *, whole_pod: bool = False
) -> None:
    """Known names, good amounts, and no request above its limit."""
    name_rule = _validate_pod_resource_name if whole_pod else validate_container_resource_name
    limits, requests = requirements.get("limits") or {}, requirements.get("requests") or {}
    limit_amounts: dict[str, Quantity | None] = {}
    for name, text in limits.items():
        where = f"{path}.limits[{name}]"
        name_rule(name, errors, where)
        limit_amounts[name] = amount = validate_amount(name, text, errors, where)
        if amount is not None and name.startswith(_HUGE):
            _validate_huge_pages(name, amount, errors, where)
    for name, text in requests.items():
        where = f"{path}.requests[{name}]"
        name_rule(name, errors, where)
        amount = validate_amount(name, text, errors, where)
        if amount is not None:
            _validate_request(name, amount, limit_amounts, errors, path)
            if name.startswith(_HUGE):
                _validate_huge_pages(name, amount, errors, where)
    names = {*limits, *requests}
    if any(name.startswith(_HUGE) for name in names) and not names & {"cpu", "memory"}:
        errors.forbidden(path, "HugePages require cpu or memory")
    if claims := requirements.get("claims"):
        _validate_claims(claims, claim_names, errors, at(path, "claims"))


def _validate_request(
    name: str, amount: Quantity, limits: dict[str, Quantity | None], errors: FieldErrors, path: str
) -> None:
    if name not in limits:
        if not may_overcommit(name):
            errors.required(at(path, "limits"), "Limit must be set for non overcommitable resources")
        return
    limit = limits[name]
    if limit is None or limit == amount:
        return
    if not may_overcommit(name):
        errors.invalid(at(path, "requests"), str(amount), f"must be equal to {name} limit of {limit}")
    elif amount > limit:
        errors.invalid(at(path, "requests"), str(amount), f"must be less than or equal to {name} limit of {limit}")


def _validate_huge_pages(name: str, amount: Quantity, errors: FieldErrors, path: str) -> None:
    try:
        page = quantity(name.removeprefix(_HUGE)).value()
    except ValueError:
        page = 0
    if page <= 0 or amount.value() % page:
        errors.invalid(path, str(amount), f"{amount} is not positive integer multiple of {name}")


def _validate_claims(claims: list[JsonObject], names: Collection[str], errors: FieldErrors, path: str) -> None:
    """Devices that dynamic resource allocation gives: each claim, or request of a claim, once."""
    seen: set[str] = set()
    for position, claim in enumerate(claims):
        name, request, where = claim.get("name") or "", claim.get("request") or "", index(path, position)
        if not name:
            errors.required(where)
            continue
        key = f"{name}/{request}" if request else name
        if name in seen:
            errors.duplicate(where, name)
        else:
            for wrong in dns_label(request) if request else ():
                errors.invalid(at(where, "request"), request, wrong)
            if key in seen:
                errors.duplicate(where, key)
            elif not request and any(other.startswith(f"{name}/") for other in sorted(seen)):
                errors.duplicate(where, name)
            seen.add(key)
        if name not in names:
            known = f": {', '.join(sorted(names))}" if names else " which is empty"
            words = f"must be one of the names in pod.spec.resourceClaims{known}"
            errors.append(FieldError(FieldErrorKind.NOT_FOUND, where, name, words))


def validate_pod_resources(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Amounts for the pod as a whole (KEP-2837) leave room for its containers."""
    resources = spec["resources"]
    if resources.get("claims") is not None:
        errors.forbidden(at(path, "claims"), "claims cannot be set for Resources at pod-level")
    validate_requirements(resources, (), errors, path, whole_pod=True)
    stated = amounts(resources, "requests")
    for name, needed in container_sum(spec, "requests").items():
        given = stated.get(name, _ZERO)
        if needed > given and is_pod_level(name):
            words = f"must be greater than or equal to aggregate container requests of {needed}"
            errors.invalid(f"{path}.requests[{name}]", str(given), words)
    limits = amounts(resources, "limits")
    for position, container in enumerate(spec.get("containers") or ()):
        for name, limit in amounts(container.get("resources"), "limits").items():
            if name in limits and limit > limits[name]:
                where = f"{path}.containers[{position}][{name}].limits"
                errors.invalid(where, str(limit), f"must be less than or equal to pod limits of {limits[name]}")
