"""What upstream's TestResource does to a kind whose conformance is that each call to the API works.

Upstream runs informers beside, of all namespaces and of the object's own, and looks at their events after each step;
here they are watches.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from contract.api import APPLY, JSON_PATCH, MERGE, STRATEGIC, Api, Json, Objects, Watch
from contract.conformance import Checks
from contract.operations import is_newer, valid_version

LABEL = "e2e-test.kubernetes.io"
ANNOTATED: Json = {"metadata": {"annotations": {"changed": "true"}}}
EVENT_SECONDS = 5
GONE_SECONDS = 30


@dataclass
class Case:
    """A kind: what is made, and how it and its status are changed."""

    version: str
    kind: str
    plural: str
    initial: Json
    status: Json = field(default_factory=dict)
    """What its status gets, where it has one."""
    namespaced: bool = False
    name: str = "test"
    change: Json = field(default_factory=lambda: ANNOTATED)
    """What an update and each patch change."""
    json_patch: Json = field(default_factory=lambda: {"path": "/metadata/annotations", "value": {"changed": "true"}})
    """The same as the only operation of a JSON patch, which adds it."""


class _Informer:
    """A watch that is looked at after each step."""

    def __init__(self, changes: Watch) -> None:
        self._changes = changes
        self._version = 0

    def sees(self, kinds: list[str], last: Json) -> bool:
        """Whether just these kinds of events come, in their order, and of updates as many as there are, up to `last`.

        All must be of that object; its resourceVersions grow.
        """
        rest = list(kinds)
        for event in self._changes:
            found = event["object"]
            assert _identity(found) == _identity(last), f"{event['type']} of another: {_identity(found)}"
            assert valid_version(found)
            version = int(found["metadata"]["resourceVersion"])
            assert version >= self._version, f"{version} came after {self._version}"
            self._version = version
            if rest and event["type"] == rest[0]:
                rest.pop(0)
            elif event["type"] != "MODIFIED":
                return False
            if not rest and (event["type"] == "DELETED" or version >= int(last["metadata"]["resourceVersion"])):
                return True
        return False


def _identity(item: Json) -> tuple[Any, ...]:
    metadata = item["metadata"]
    return metadata.get("namespace"), metadata["name"], metadata["uid"]


class _Crud:
    """One object, made, changed in each way there is, and deleted."""

    def __init__(self, api: Api, check: Checks, namespace: str, case: Case) -> None:
        self.objects = api.objects(case.version, case.kind, namespace if case.namespaced else "")
        self.check, self.case = check, case
        self.selector = f"{LABEL}={namespace}"
        self.name = case.name if case.namespaced else f"{case.name}-{namespace}"
        self.body = {**case.initial, "metadata": {"name": self.name, "labels": {LABEL: namespace}}}
        self.informers: list[_Informer] = []

    def run(self) -> None:
        """All of it."""
        places = [self.objects.everywhere(), *([self.objects] if self.case.namespaced else [])]
        with ExitStack() as watching:
            for place in places:
                found = place.all(label=self.selector)
                self.check("none-yet", found["items"], [])
                since = found["metadata"]["resourceVersion"]
                changes = place.watch(since=since, label=self.selector, silence=EVENT_SECONDS, seconds=600)
                self.informers.append(_Informer(watching.enter_context(changes)))
            current = self.objects.create(self.body, validation="Strict")
            try:
                current = self._patched(self._updated(current))
                self._listed(places)
            finally:
                self.objects.delete_all(label=self.selector)
            self.objects.until_gone(self.name, GONE_SECONDS)
            self._see("deleted", ["DELETED"], current)

    def _see(self, assertion: str, kinds: list[str], last: Json) -> None:
        for informer in self.informers:
            self.check(assertion, informer.sees(kinds, last))

    def _right(self, found: Json) -> bool:
        """Whether it is the object, at a version."""
        wanted = (self.objects.namespace or None, self.name)
        return _identity(found)[:2] == wanted and valid_version(found)

    def _updated(self, made: Json) -> Json:
        """Read and updated, its status as well."""
        self.check("made", self._right(made))
        self._see("added", ["ADDED"], made)
        self.check("read", self._right(self.objects.get(self.name)))
        after = self.objects.change(self.name, self._edit)
        self.check("updated", self._right(after) and _has(after, self.case.change))
        self._see("modified", ["MODIFIED"], after)
        self.check("newer", is_newer(after, made))
        if self.case.status:
            after = self.objects.change(self.name, self._edit_status, "status")
            self.check("status-updated", self._right(after) and _has(after["status"], self.case.status))
            self._see("modified", ["MODIFIED"], after)
            self.check("status-read", self._right(self.objects.get(self.name, "status")))
        return after

    def _patched(self, current: Json) -> Json:
        """Made anew and patched in each form, then its status: that of one that has been updated."""
        for form, patch in self._patches(self.case.change, {"op": "add", **self.case.json_patch}):
            made = self._again(current)
            current = self._patch(made, patch, form, "")
            self.check("patched", self._right(current) and _has(current, self.case.change) and is_newer(current, made))
            self._see("patch-seen", ["ADDED", "MODIFIED"], current)
        if not self.case.status:
            return current
        parts = [{"op": "add", "path": f"/status/{name}", "value": value} for name, value in self.case.status.items()]
        for form, patch in self._patches({"status": self.case.status}, *parts):
            self._again(current)
            made = self.objects.change(self.name, self._edit)
            current = self._patch(made, patch, form, "status")
            self.check("status-patched", self._right(current) and _has(current["status"], self.case.status))
            self._see("patch-seen", ["ADDED", "MODIFIED"], current)
        return current

    def _patches(self, merged: Json, *operations: Json) -> Iterator[tuple[str, Any]]:
        yield from ((form, merged) for form in (STRATEGIC, APPLY, MERGE))
        yield JSON_PATCH, list(operations)

    def _again(self, current: Json) -> Json:
        """Deleted, and made anew."""
        self.objects.delete(self.name)
        self.objects.until_gone(self.name, GONE_SECONDS)
        self._see("deleted", ["DELETED"], current)
        return self.objects.create(self.body)

    def _patch(self, made: Json, patch: Any, form: str, part: str) -> Json:
        """A patch says of which object it is, where it can."""
        sent = patch
        if form != JSON_PATCH:
            names = {name: made["metadata"][name] for name in ("name", "namespace", "uid") if name in made["metadata"]}
            metadata = {**patch.get("metadata", {}), **names}
            sent = {"apiVersion": made["apiVersion"], "kind": made["kind"], **patch, "metadata": metadata}
        more = {"manager": "test-apply", "force": "true"} if form == APPLY else {}
        return self.objects.patch(self.name, sent, form, part, validation="Strict", **more)

    def _edit(self, item: Json) -> None:
        for name, values in self.case.change["metadata"].items():
            item["metadata"].setdefault(name, {}).update(values)

    def _edit_status(self, item: Json) -> None:
        """Lists get longer, the rest is set."""
        status = item.setdefault("status", {})
        for name, value in self.case.status.items():
            status[name] = [*status.get(name, []), *value] if isinstance(value, list) else value

    def _listed(self, places: list[Objects]) -> None:
        for place in places:
            found = place.items(label=self.selector)
            self.check("listed", [self._right(item) for item in found], [True])


def _has(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there, whatever else is."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(name in found and _has(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(_has(item, each) for item in found) for each in wanted)
    return bool(found == wanted)


def run(api: Api, check: Checks, namespace: str, case: Case) -> None:
    """All steps for one kind."""
    names = [found["name"] for found in api.ask(f"/apis/{case.version}")["resources"]]
    check("resources", case.plural in names)
    _Crud(api, check, namespace, case).run()
