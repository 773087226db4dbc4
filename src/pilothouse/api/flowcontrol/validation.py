"""The rules of a FlowSchema, and of the conditions that both kinds of flow control have.

Source of the facts: pkg/apis/flowcontrol/validation/validation.go.
"""

from collections.abc import Callable, Sequence

from pilothouse.api.core.pod.update import same
from pilothouse.api.flowcontrol.mandatory import EXEMPT, SCHEMAS
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, at, index
from pilothouse.api.machinery.names import dns_label, dns_subdomain
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject

_METHODS = ("ByNamespace", "ByUser")
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_KINDS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_LAST = 10000
ANY = "*"
_NAMESPACE = "each member of this list must be '*' or a DNS-1123 label; "


def validate_schema(obj: JsonObject, errors: FieldErrors) -> None:
    """Which requests, by whom, in which turn, to which level; two schemas are fixed."""
    name, spec = dig(obj, "metadata", "name") or "", obj.get("spec") or {}
    _validate_precedence(name, spec.get("matchingPrecedence") or 0, errors, "spec.matchingPrecedence")
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in _METHODS:
        errors.not_supported("spec.distinguisherMethod.type", as_go_shows(method, {"Type": ""}), _METHODS)
    if level := dig(spec, "priorityLevelConfiguration", "name"):
        validate_text(level, dns_subdomain, errors, "spec.priorityLevelConfiguration.name")
    else:
        errors.required("spec.priorityLevelConfiguration.name", "must reference a priority level")
    for position, rule in enumerate(spec.get("rules") or ()):
        _validate_rule(rule, errors, index("spec.rules", position))
    fixed = SCHEMAS.get(name)
    if fixed is not None and not same(spec, fixed):
        errors.invalid("spec", spec, f"spec of '{name}' must equal the fixed value")


def _validate_precedence(name: str, precedence: int, errors: FieldErrors, path: str) -> None:
    if precedence <= 0:
        errors.invalid(path, precedence, "must be a positive value")
    if precedence > _LAST:
        errors.invalid(path, precedence, f"must not be greater than {_LAST}")
    if precedence == 1 and name != EXEMPT:
        errors.invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")


def _validate_rule(rule: JsonObject, errors: FieldErrors, path: str) -> None:
    subjects, resources, urls = (rule.get(name) or () for name in ("subjects", "resourceRules", "nonResourceRules"))
    if not subjects:
        errors.required(at(path, "subjects"), "subjects must contain at least one value")
    for position, subject in enumerate(subjects):
        _validate_subject(subject, errors, index(at(path, "subjects"), position))
    if not resources and not urls:
        errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")
    for position, item in enumerate(resources):
        _validate_resources(item, errors, index(at(path, "resourceRules"), position))
    for position, item in enumerate(urls):
        _validate_urls(item, errors, index(at(path, "nonResourceRules"), position))


def _validate_subject(subject: JsonObject, errors: FieldErrors, path: str) -> None:
    kind = subject.get("kind") or ""
    if kind not in _KINDS:
        errors.not_supported(at(path, "kind"), kind, _KINDS)
        return
    field = _KINDS[kind]
    where, found = at(path, field), subject.get(field)
    if found is None:
        errors.required(where, f"{field} is required when subject kind is '{kind}'")
    elif kind == "ServiceAccount":
        _validate_account(found, errors, where)
    elif not found.get("name"):
        errors.required(at(where, "name"))
    for other, name in (("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")):
        if other != kind and subject.get(name) is not None:
            errors.forbidden(at(path, name), f"{name} is forbidden when subject kind is not '{other}'")


def _validate_account(account: JsonObject, errors: FieldErrors, path: str) -> None:
    name, namespace = account.get("name") or "", account.get("namespace") or ""
    if not name:
        errors.required(at(path, "name"))
    elif name != ANY:
        validate_text(name, dns_subdomain, errors, at(path, "name"))
    if namespace:
        validate_text(namespace, dns_label, errors, at(path, "namespace"))
    else:
        errors.required(at(path, "namespace"), "must specify namespace for service account")


def _validate_verbs(verbs: Sequence[str], errors: FieldErrors, path: str) -> None:
    if not verbs:
        errors.required(path, "verbs must contain at least one value")
    elif ANY in verbs:
        _alone(verbs, "verbs", errors, path)
    elif not set(verbs) <= set(_VERBS):
        errors.not_supported(path, verbs, _VERBS)


def _alone(values: Sequence[str], what: str, errors: FieldErrors, path: str) -> None:
    if len(values) > 1 and ANY in values:
        errors.invalid(path, values, f"if '*' is present, must not specify other {what}")


def _validate_resources(rule: JsonObject, errors: FieldErrors, path: str) -> None:
    _validate_verbs(rule.get("verbs") or (), errors, at(path, "verbs"))
    for name, one, many in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        if not rule.get(name):
            errors.required(at(path, name), f"resource rules must supply at least one {one}")
        _alone(rule.get(name) or (), many, errors, at(path, name))
    namespaces, where = rule.get("namespaces") or (), at(path, "namespaces")
    if not namespaces and not rule.get("clusterScope"):
        words = "resource rules that are not cluster scoped must supply at least one namespace"
        errors.required(where, words)
    elif ANY in namespaces:
        _alone(namespaces, "namespaces", errors, where)
    else:
        for position, namespace in enumerate(namespaces):
            for wrong in dns_label(namespace):
                errors.invalid(index(where, position), namespace, f"{_NAMESPACE}{wrong}")


def _validate_urls(rule: JsonObject, errors: FieldErrors, path: str) -> None:
    _validate_verbs(rule.get("verbs") or (), errors, at(path, "verbs"))
    urls, where = rule.get("nonResourceURLs") or (), at(path, "nonResourceURLs")
    if not urls:
        errors.required(where, "nonResourceURLs must contain at least one value")
    elif ANY in urls:
        _alone(urls, "non-resource URLs", errors, where)
    else:
        for position, url in enumerate(urls):
            if wrong := _wrong_with_url(url):
                errors.invalid(index(where, position), url, wrong)


_URL_RULES: Sequence[tuple[Callable[[str], bool], str]] = (
    (lambda url: not url, "must not be empty"),
    (lambda url: not url.startswith("/"), "must start with slash"),
    (lambda url: " " in url, "must not contain white-space"),
    (lambda url: "//" in url, "must not contain double slash"),
    (lambda url: ANY in url.removesuffix("/*"), "wildcard can only do suffix matching"),
)


def _wrong_with_url(url: str) -> str:
    return next((words for breaks, words in _URL_RULES if breaks(url)), "")


def validate_conditions(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """Each type is there once."""
    seen = set()
    for position, condition in enumerate(dig(obj, "status", "conditions") or ()):
        where, kind = at(index("status.conditions", position), "type"), condition.get("type") or ""
        if kind in seen:
            errors.duplicate(where, kind)
        seen.add(kind)
        if not kind:
            errors.required(where, "must not be empty")
