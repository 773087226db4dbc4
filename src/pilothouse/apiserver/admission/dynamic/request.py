"""A write as policies and webhooks see it: which resource, kind and operation, the objects in the version they ask for.

What is sent to a subresource has a kind of its own; a few of our writes hold the parent in its place, and are turned
into what upstream shows. Source: admission/v1 AdmissionRequest; apiserver/pkg/admission/attributes.go,
pkg/admission/plugin/cel/condition.go; endpoints/handlers/create.go for the namespace of a Namespace.
"""

from functools import cached_property
from typing import NamedTuple

from pilothouse.api.catalogue import AnyResource
from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.resource import ScalePaths
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.pipeline.managed import shown_as
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.served import Served
from pilothouse.apiserver.subresources.scale import put_replicas, scale_of
from pilothouse.apiserver.user import User

_OPTIONS = {Operation.CREATE: "CreateOptions", Operation.UPDATE: "UpdateOptions", Operation.DELETE: "DeleteOptions"}


class GroupVersionKind(NamedTuple):
    """A kind in a version."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """As objects have it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"


class Target(NamedTuple):
    """A resource in a version, and the kind of what is sent to it."""

    group: str
    version: str
    plural: str
    kind: GroupVersionKind


class Versioned(NamedTuple):
    """The objects of a request in one version."""

    object: JsonObject | None
    old: JsonObject | None


class Request:
    """A write, and the versions of it."""

    def __init__(self, write: Write, served: Served) -> None:
        self.write = write
        self._served = served
        resource = write.resource
        self.operation = Operation.CREATE if write.part == "binding" else write.operation
        self.subresource = write.part
        self.target = self._target(resource)
        self.name = write.name
        self.is_namespace = not resource.group and resource.plural == "namespaces"
        self.namespace = write.name if self.is_namespace else write.namespace
        """As upstream has it: a Namespace is in itself."""

    @property
    def user(self) -> User:
        """Who asks."""
        return self.write.exchange.user

    @cached_property
    def equivalents(self) -> tuple[Target, ...]:
        """The same resource in other groups and versions."""
        if not self.is_whole:
            return ()
        stored, own = self._served.catalogue.stored, self.write.resource
        alike = [other for other in self._served.catalogue if other is not own and other.name == own.name]
        return tuple([self._target(other) for other in alike if stored(other) is stored(own)])

    def seen_as(self, kind: GroupVersionKind) -> Versioned:
        """The objects in the version of a target. As the write changes, so do they: nothing is kept."""
        new, old = self.objects
        if kind == self.target.kind:
            return Versioned(new, old)
        other = self._served.catalogue.by_kind(*kind)
        assert other is not None
        own = self.write.resource
        return Versioned(
            shown_as(own, other, new) if new is not None else None,
            shown_as(own, other, old) if old is not None else None,
        )

    @property
    def objects(self) -> Versioned:
        """The objects as they were sent."""
        write = self.write
        match write.part:
            case "scale":
                paths = self._scale_paths
                return Versioned(*[scale_of(obj, paths) if obj is not None else None for obj in (write.new, write.old)])
            case "binding":
                return Versioned(_binding(write), None)
        return Versioned(write.new, write.old)

    def put(self, obj: JsonObject, kind: GroupVersionKind) -> None:
        """Have the write go on with another object, given in a version that `seen_as` showed."""
        write = self.write
        if kind != self.target.kind:
            other = self._served.catalogue.by_kind(*kind)
            assert other is not None
            obj = shown_as(other, write.resource, obj)
        if write.part == "scale" and write.new is not None:
            put_replicas(write.new, self._scale_paths, obj)
        elif write.part != "binding":
            write.new = obj
            if self.is_whole and self.operation is Operation.CREATE:
                self._rename(obj)

    @property
    def is_whole(self) -> bool:
        """Whether what is sent is the object itself, or a part of it in its form."""
        return self.target.kind.kind == self.write.resource.name

    def describe(self, matched: Target) -> JsonObject:
        """The AdmissionRequest, without its objects and uid: those are variables of their own, or a webhook's."""
        write, own = self.write, self.target
        described: JsonObject = {
            "kind": matched.kind._asdict(),
            "resource": _resource(matched),
            "subResource": self.subresource,
            "requestKind": own.kind._asdict(),
            "requestResource": _resource(own),
            "requestSubResource": self.subresource,
            "name": self.name,
            "namespace": self.namespace,
            "operation": str(self.operation),
            "userInfo": _user_info(self.user),
            "dryRun": write.dry_run,
        }
        if options := self._options():
            described["options"] = options
        return {name: value for name, value in described.items() if value != ""}

    def _rename(self, obj: JsonObject) -> None:
        """A new object may get another name, not another namespace. Raises BadRequest."""
        metadata = obj.get("metadata") or {}
        if (metadata.get("namespace") or "") != self.write.namespace:
            raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
        self.name = self.write.name = metadata.get("name") or ""

    @property
    def _scale_paths(self) -> ScalePaths:
        part = self.write.subresource
        return (part.scale if part is not None else None) or ScalePaths()

    def _target(self, resource: AnyResource) -> Target:
        kind = GroupVersionKind(resource.group, resource.version, resource.name)
        part = self.write.subresource
        if part is not None and part.kind:
            group = resource.group if part.group is None else part.group
            kind = GroupVersionKind(group, part.version or resource.version, part.kind)
        return Target(resource.group, resource.version, resource.plural, kind)

    def _options(self) -> JsonObject:
        """CreateOptions and their like."""
        write, kind = self.write, _OPTIONS.get(self.operation)
        if kind is None:
            return {}
        options: JsonObject = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
        if self.operation is Operation.DELETE:
            return options | {key: value for key, value in write.options.items() if key not in options}
        if write.dry_run:
            options["dryRun"] = ["All"]
        for name in ("fieldManager", "fieldValidation"):
            if value := write.exchange.info.value(name):
                options[name] = value
        return options


def _resource(target: Target) -> JsonObject:
    return {"group": target.group, "version": target.version, "resource": target.plural}


def _user_info(user: User) -> JsonObject:
    """A UserInfo, without what is empty."""
    info: JsonObject = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {name: value for name, value in info.items() if value}


def _binding(write: Write) -> JsonObject | None:
    """The Binding that a pod's new node came with."""
    pod = write.new
    if pod is None:
        return None
    metadata = {name: pod["metadata"][name] for name in ("name", "namespace", "uid")}
    target = {"kind": "Node", "name": (pod.get("spec") or {}).get("nodeName", "")}
    return {"kind": "Binding", "apiVersion": "v1", "metadata": metadata, "target": target}
