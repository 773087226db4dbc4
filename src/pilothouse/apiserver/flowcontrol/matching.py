"""Which flow schema a request belongs to: the first in order of precedence, then name, one of whose rules matches.

Source: FlowSchemaSpec of the API reference; apiserver/pkg/util/flowcontrol/rule.go.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.user import SERVICE_ACCOUNT_PREFIX, User

_ALL = "*"


def in_order(schemas: Sequence[JsonObject]) -> list[JsonObject]:
    """FlowSchema objects in the order in which they are tried."""
    return sorted(schemas, key=lambda one: (one["spec"].get("matchingPrecedence") or 0, one["metadata"]["name"]))


def matches(schema: JsonObject, user: User, info: RequestInfo) -> bool:
    """Whether the request is one of this FlowSchema's."""
    return any(_rule_matches(rule, user, info) for rule in schema["spec"].get("rules") or ())


def distinguisher(schema: JsonObject, user: User, info: RequestInfo) -> str:
    """What tells this flow from others of the same schema."""
    method = (schema["spec"].get("distinguisherMethod") or {}).get("type")
    return user.name if method == "ByUser" else info.namespace if method == "ByNamespace" else ""


def _rule_matches(rule: JsonObject, user: User, info: RequestInfo) -> bool:
    if not any(_is_subject(subject, user) for subject in rule.get("subjects") or ()):
        return False
    if info.is_resource:
        return any(_resource_matches(one, info) for one in rule.get("resourceRules") or ())
    return any(_path_matches(one, info) for one in rule.get("nonResourceRules") or ())


def _is_subject(subject: JsonObject, user: User) -> bool:
    match subject.get("kind"):
        case "User":
            return (subject.get("user") or {}).get("name") in (_ALL, user.name)
        case "Group":
            name = (subject.get("group") or {}).get("name")
            return name == _ALL or name in user.groups
        case "ServiceAccount":
            account = subject.get("serviceAccount") or {}
            prefix = f"{SERVICE_ACCOUNT_PREFIX}{account.get('namespace')}:"
            name = account.get("name")
            return user.name.startswith(prefix) if name == _ALL else user.name == f"{prefix}{name}"
    return False


def _resource_matches(rule: JsonObject, info: RequestInfo) -> bool:
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if not (
        _has(rule, "verbs", info.verb) and _has(rule, "resources", resource) and _has(rule, "apiGroups", info.group)
    ):
        return False
    return _has(rule, "namespaces", info.namespace) if info.namespace else bool(rule.get("clusterScope"))


def _path_matches(rule: JsonObject, info: RequestInfo) -> bool:
    if not _has(rule, "verbs", info.verb):
        return False
    return any(
        url in (_ALL, info.path) or (url.endswith("/*") and info.path.startswith(url[:-1]))
        for url in rule.get("nonResourceURLs") or ()
    )


def _has(rule: JsonObject, field: str, value: str) -> bool:
    wanted = rule.get(field) or ()
    return _ALL in wanted or value in wanted
