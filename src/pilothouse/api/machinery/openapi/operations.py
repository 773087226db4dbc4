"""What can be done with a kind: its paths and, on each, the operations with their parameters.

Names, actions and tags are upstream's (`listAppsV1NamespacedDeployment`), because generated clients are named after
them. The model is the same for both dialects of OpenAPI.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.api.machinery.resource import Resource, Subresource
from pilothouse.api.machinery.schema import Schemas
from pilothouse.api.machinery.schema.load import META
from pilothouse.api.machinery.view import JsonObject

STATUS_OBJECT = f"{META}.Status"
RESOURCE_LIST = f"{META}.APIResourceList"
DELETE_OPTIONS = f"{META}.DeleteOptions"
PATCH_BODY = f"{META}.Patch"
Kind = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a path or query."""

    name: str
    type: str = "string"
    description: str = ""
    place: str = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path."""

    path: str
    method: str
    action: str
    """Upstream's x-kubernetes-action: get, list, post, put, patch, delete, deletecollection, connect; "" for none."""
    id: str
    description: str
    tag: str
    kind: Kind | None
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    """The definition of the request's body; empty for none."""
    returns: str = ""
    """The definition of the answer; empty for plain text."""
    created: bool = False
    """Whether 201 is a possible answer."""

    @property
    def extensions(self) -> JsonObject:
        """What Kubernetes says of it besides, in either version of OpenAPI."""
        found: JsonObject = {}
        if self.action:
            found["x-kubernetes-action"] = self.action
        if self.kind:
            group, version, kind = self.kind
            found["x-kubernetes-group-version-kind"] = {"group": group, "kind": kind, "version": version}
        return found


PRETTY = Parameter("pretty", description="If 'true', the output is indented.")
NAMESPACE = Parameter("namespace", description="The namespace of the objects.", place="path")
PATH = Parameter("path", description="The rest of the path, passed on as it is.", place="path")
DRY_RUN = Parameter("dryRun", description="With All, everything is done except storing the result.")
MANAGER = Parameter("fieldManager", description="Who makes the change, for the record of managed fields.")
VALIDATION = Parameter(
    "fieldValidation", description="What becomes of unknown and repeated fields: Ignore, Warn (the default) or Strict."
)
FORCE = Parameter("force", "boolean", "With apply, take over fields that others manage.")
LIST = (
    Parameter("allowWatchBookmarks", "boolean", "Ask for BOOKMARK events in a watch."),
    Parameter("continue", description="The token of the previous page."),
    Parameter("fieldSelector", description="Only objects whose fields match."),
    Parameter("labelSelector", description="Only objects whose labels match."),
    Parameter("limit", "integer", "At most so many objects a page."),
    Parameter("resourceVersion", description="From which version on the answer must be."),
    Parameter("resourceVersionMatch", description="How resourceVersion is meant: Exact or NotOlderThan."),
    Parameter("sendInitialEvents", "boolean", "Begin a watch with the objects that exist."),
    Parameter("timeoutSeconds", "integer", "End the request after so many seconds."),
    Parameter("watch", "boolean", "Stream changes instead of listing."),
)
SELECT = tuple(parameter for parameter in LIST if parameter.name not in ("allowWatchBookmarks", "watch"))
"""Which objects a deletecollection is about."""
DELETE = (
    DRY_RUN,
    Parameter("gracePeriodSeconds", "integer", "How long the object may take to end; 0 means at once."),
    Parameter(
        "ignoreStoreReadErrorWithClusterBreakingPotential", "boolean", "Delete an object that can no longer be read."
    ),
    Parameter("orphanDependents", "boolean", "Deprecated: use propagationPolicy."),
    Parameter("propagationPolicy", description="What becomes of dependents: Orphan, Background or Foreground."),
)
WRITE = (DRY_RUN, MANAGER, VALIDATION)
_METHODS = {"create": "post", "get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_WORDS = {"create": "create", "get": "read", "update": "replace", "patch": "patch", "delete": "delete"}


def group_name(group: str) -> str:
    """`RbacAuthorization` of `rbac.authorization.k8s.io`, `Core` of the core group."""
    return "".join(part.capitalize() for part in (group or "core").removesuffix(".k8s.io").split("."))


def version_operation(group: str, version: str) -> Operation:
    """The discovery document of a group and version."""
    name = f"{group_name(group)}{version.capitalize()}"
    path = f"/apis/{group}/{version}/" if group else f"/api/{version}/"
    return Operation(
        path=path, method="get", action="", id=f"get{name}APIResources", description="get available resources",
        tag=_tag(group, version), kind=None, returns=RESOURCE_LIST,
    )  # fmt: skip


def operations(resource: Resource[Any], schemas: Schemas) -> Iterator[Operation]:
    """Everything that can be done with a kind."""
    return _Writer(resource, schemas).operations()


def _tag(group: str, version: str) -> str:
    name = group_name(group)
    return f"{name[0].lower()}{name[1:]}_{version}"


class _Writer:
    """The operations of one kind."""

    def __init__(self, resource: Resource[Any], schemas: Schemas) -> None:
        self.resource = resource
        self.schemas = schemas
        self.kind: Kind = (resource.group, resource.version, resource.name)
        self.namespaced = "Namespaced" if resource.namespaced else ""
        self.collection = resource.path("{namespace}" if resource.namespaced else "")
        self.one = f"{self.collection}/{{name}}"
        self.group = f"{group_name(resource.group)}{resource.version.capitalize()}"
        self.tag = _tag(resource.group, resource.version)
        self.own = self.definition(self.kind)
        self.placed = (NAMESPACE,) if resource.namespaced else ()
        self.named = (*self.placed, Parameter("name", description=f"name of the {resource.name}", place="path"))

    def definition(self, kind: Kind) -> str:
        """The definition of a kind; empty where the schemas have none."""
        return self.schemas.names.get(kind, "")

    def operations(self) -> Iterator[Operation]:
        """Collection, objects, subresources, and the collection over all namespaces."""
        verbs = self.resource.verbs
        yield from self.on_collection(verbs)
        for verb in verbs:
            if verb in ("get", "update", "patch", "delete"):
                yield self.on_object(verb)
        for subresource in self.resource.subresources:
            yield from self.on_subresource(subresource)

    def on_collection(self, verbs: Sequence[str]) -> Iterator[Operation]:
        """List, create, delete all."""
        name = self.resource.name
        if "list" in verbs:
            listed = {
                "method": "get", "action": "list", "tag": self.tag, "kind": self.kind,
                "description": f"list or watch objects of kind {name}",
                "returns": self.definition((*self.kind[:2], self.resource.list_kind)),
            }  # fmt: skip
            yield Operation(path=self.collection, id=f"list{self.group}{self.namespaced}{name}",
                            parameters=(*self.placed, PRETTY, *LIST), **listed)  # type: ignore[arg-type]  # fmt: skip
            if self.resource.namespaced:
                yield Operation(path=self.resource.path(), id=f"list{self.group}{name}ForAllNamespaces",
                                parameters=(PRETTY, *LIST), **listed)  # type: ignore[arg-type]  # fmt: skip
        if "create" in verbs:
            yield Operation(
                path=self.collection, method="post", action="post", id=f"create{self.group}{self.namespaced}{name}",
                description=f"create a {name}", tag=self.tag, kind=self.kind, body=self.own, returns=self.own,
                parameters=(*self.placed, PRETTY, *WRITE), created=True,
            )  # fmt: skip
        if "deletecollection" in verbs:
            yield Operation(
                path=self.collection, method="delete", action="deletecollection", tag=self.tag, kind=self.kind,
                id=f"delete{self.group}Collection{self.namespaced}{name}", description=f"delete collection of {name}",
                body=DELETE_OPTIONS, returns=STATUS_OBJECT,
                parameters=(*self.placed, PRETTY, *DELETE, *SELECT),
            )  # fmt: skip

    def on_object(self, verb: str) -> Operation:
        """Read, replace, patch, delete one object."""
        name = self.resource.name
        return self.write_or_read(verb, self.one, self.kind, self.own, f"{self.namespaced}{name}", name)

    def on_subresource(self, subresource: Subresource) -> Iterator[Operation]:
        """What lies below one object."""
        path = f"{self.one}/{subresource.name}"
        suffix = f"{self.namespaced}{self.resource.name}{subresource.name.capitalize()}"
        what = f"{subresource.name} of the specified {self.resource.name}"
        kind = (
            subresource.group if subresource.group is not None else self.resource.group,
            subresource.version or self.resource.version,
            subresource.kind or self.resource.name,
        )
        if subresource.kind.endswith("Options"):
            yield from self.connections(subresource, path, suffix, kind)
            return
        body = "" if subresource.name == "log" else self.definition(kind)
        for verb in subresource.verbs:
            yield self.write_or_read(verb, path, kind, body, suffix, what)

    def connections(self, subresource: Subresource, path: str, suffix: str, kind: Kind) -> Iterator[Operation]:
        """Subresources that are streams or proxies; a proxy passes on methods for which there are no verbs."""
        methods = [_METHODS[verb] for verb in subresource.verbs]
        for method in (*methods, "head", "options") if subresource.name == "proxy" else methods:
            connect = f"connect{self.group}{method.capitalize()}{suffix}"
            about = f"connect {method.upper()} requests to {subresource.name} of {self.resource.name}"
            places = [(path, connect, self.named)]
            if subresource.name == "proxy":
                places.append((f"{path}/{{path}}", f"{connect}WithPath", (*self.named, PATH)))
            for place, name, parameters in places:
                yield Operation(path=place, method=method, action="connect", id=name, description=about, tag=self.tag,
                                kind=kind, parameters=parameters)  # fmt: skip

    def write_or_read(self, verb: str, path: str, kind: Kind, body: str, suffix: str, what: str) -> Operation:
        """One operation on one object or subresource."""
        extra: dict[str, tuple[Parameter, ...]] = {
            "get": (), "create": WRITE, "update": WRITE, "patch": (*WRITE, FORCE), "delete": DELETE
        }  # fmt: skip
        bodies = {"get": "", "patch": PATCH_BODY, "delete": DELETE_OPTIONS}
        return Operation(
            path=path, method=_METHODS[verb], action=_METHODS[verb], id=f"{_WORDS[verb]}{self.group}{suffix}",
            description=f"{_WORDS[verb]} {what}", tag=self.tag, kind=kind,
            parameters=(*self.named, PRETTY, *extra[verb]), body=bodies.get(verb, body),
            returns=STATUS_OBJECT if verb == "delete" else body,
            created=verb in ("create", "update", "patch"),
        )  # fmt: skip
