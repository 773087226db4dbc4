"""RequestInfo: one parse of method, path and query that authorization, audit and routing all read.

Follows the request attributes of the API reference ("Authorization overview: review your request attributes") and the
path rules of apiserver/pkg/endpoints/request/requestinfo.go. What could be read in two ways is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.selectors import FieldRequirement, FieldSelector, parse_field_selector
from pilothouse.runtime.short_memo import short_memo

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_MANY = frozenset({"list", "watch", "deletecollection"})
_NO_QUERY: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request asks for. Without a resource only `verb` (the lower-case method) and `path` count."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    remainder: str = ""
    """What follows the subresource: the path a proxied backend gets, with its leading slash."""

    def value(self, parameter: str) -> str:
        """The first value of a query parameter, empty when it is absent."""
        found = self.query.get(parameter)
        return found[0] if found else ""

    @property
    def field_requirements(self) -> tuple[FieldRequirement, ...]:
        """What the objects of a list, watch or deletion of many are narrowed to; empty where it cannot be parsed."""
        if self.verb not in _MANY or "fieldSelector" not in self.query:
            return ()
        return _field_selector(self.query).requirements

    def flag(self, parameter: str) -> bool:
        """A boolean query parameter."""
        return _is_true(self.query, parameter)


def parse_request_info(method: str, target: str) -> RequestInfo:
    """Parse a request line, those that come again and again but once.

    Raises BadRequest for a path that could be read in two ways.
    """
    return _parse_request_info(target, method)


@short_memo(2048)
def _parse_request_info(target: str, method: str) -> RequestInfo:
    raw_path, _, raw_query = target.partition("?")
    if "%" in raw_path:
        if "%2f" in raw_path.lower() or "%5c" in raw_path.lower() or "%00" in raw_path:
            raise BadRequest("the path holds an encoded separator")
        path = unquote(raw_path)
    else:
        path = raw_path
    if not path.startswith("/") or "\\" in path:
        raise BadRequest("the path must be absolute")
    query = _parse_query(raw_query) if raw_query else _NO_QUERY
    parts = path[1:].split("/")
    if parts[-1] == "" and len(parts) > 1:
        parts.pop()
    prefix_length = {"api": 2, "apis": 3}.get(parts[0], 0)
    ours = parts[: parts.index("proxy", prefix_length)] if "proxy" in parts[prefix_length:] else parts[:-1]
    if ".." in parts or "." in parts or "" in ours:  # what follows is the backend's path
        raise BadRequest("the path holds an empty or relative segment")
    if prefix_length == 0 or len(parts) <= prefix_length:
        return RequestInfo(method, path, query, method.lower())
    group = "" if prefix_length == 2 else parts[1]
    return _resource_request(method, path, query, group, parts[prefix_length - 1], parts[prefix_length:])


def _parse_query(raw: str) -> Mapping[str, tuple[str, ...]]:
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in query.items()}


def _resource_request(
    method: str, path: str, query: Mapping[str, tuple[str, ...]], group: str, version: str, parts: list[str]
) -> RequestInfo:
    verb = _VERBS.get(method, "")
    watching = False
    if parts[0] == "watch" and len(parts) > 1:  # the deprecated /api/v1/watch/... form
        watching, parts = True, parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and not (len(parts) == 3 and parts[2] in _NAMESPACE_SUBRESOURCES):
            parts = parts[2:]
    resource, name, subresource, *rest = [*parts, *[""] * (3 - len(parts))]
    if not name:
        if verb == "get":
            verb = "watch" if _is_true(query, "watch") else "list"
            name = _name_in_selector(query)
        elif verb == "delete":
            verb = "deletecollection"
    elif watching:
        query = {**query, "fieldSelector": (f"metadata.name={name}",)}
    if watching:
        verb = "watch"
    remainder = ""
    if subresource == "proxy":
        remainder = "/" + "/".join(rest)
        if rest and path.endswith("/"):
            remainder += "/"
    elif rest:
        subresource = "/".join([subresource, *rest])
    return RequestInfo(
        method, path, query, verb, True, group, version, namespace, resource, subresource, name, remainder
    )


def _is_true(query: Mapping[str, tuple[str, ...]], parameter: str) -> bool:
    """What Go makes of it: anything but false and 0 is true, nothing at all too."""
    found = query.get(parameter)
    return found is not None and found[0].lower() not in ("false", "0")


def _name_in_selector(query: Mapping[str, tuple[str, ...]]) -> str:
    """The name a list or watch is narrowed to, which authorization counts as a request for that name."""
    if "fieldSelector" not in query:
        return ""
    name = _field_selector(query).exact("metadata.name") or ""
    return "" if name in (".", "..") or "/" in name or "%" in name else name


def _field_selector(query: Mapping[str, tuple[str, ...]]) -> FieldSelector:
    """The selector that the list will use: the first, whatever follows it."""
    try:
        return parse_field_selector(query["fieldSelector"][0])
    except ValueError:
        return FieldSelector()
