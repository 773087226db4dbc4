"""What "should support X API operations" does to every kind: discovery, then each verb once, on three objects.

Upstream writes it out for each kind; here the kinds differ in their template, patch and edit alone. Each step checks
the assertions of its own name, which the lists share as `.operations`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.api import MERGE, Api, Json, Refused
from contract.conformance import Checks

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
DISCOVERY = f"{AGGREGATED},{AGGREGATED.replace('v=v2', 'v=v2beta1')},application/json"
"""What client-go accepts of discovery."""
EVENT_SECONDS = 30
"""wait.ForeverTestTimeout of upstream's, for each event."""
_BITS = 128


def valid_version(item: Json) -> bool:
    """Whether it has a resourceVersion that can be compared: a decimal number that fits, without leading zeros."""
    version = str(item["metadata"]["resourceVersion"])
    return version.isdecimal() and version.isascii() and version[0] != "0" and int(version).bit_length() <= _BITS


def is_newer(item: Json, before: Json) -> bool:
    """Whether it is a later version of the same."""
    return int(item["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


def annotation(item: Json, name: str) -> Any:
    """The value of an annotation."""
    return item["metadata"].get("annotations", {}).get(name)


def condition(item: Json, kind: str) -> Any:
    """A condition of its status, by its type."""
    return next((found for found in item["status"].get("conditions", []) if found["type"] == kind), None)


@dataclass
class Operations:
    """The steps for one kind."""

    api: Api
    check: Checks
    version: str
    """apiVersion."""
    kind: str
    plural: str
    label: str
    """The value of the label that the three have in common."""
    namespace: str = ""
    parts: Sequence[str] = ()
    """Subresources that discovery must know of."""
    created: Json = field(default_factory=dict)
    """The last of the three."""

    def __post_init__(self) -> None:
        self.objects = self.api.objects(self.version, self.kind, self.namespace)
        self.selector = f"e2e-operations={self.label}"

    def discovered(self) -> None:
        """Its group, its version and its resources are where clients look for them."""
        group, _, version = self.version.partition("/")
        for groups in (self._groups(), self.api.ask("/apis")["groups"]):
            versions = {found["name"]: found["versions"] for found in groups}
            self.check("group", version in [found["version"] for found in versions[group]])
        one = self.api.ask(f"/apis/{group}")
        self.check("version", version in [found["version"] for found in one["versions"]])
        names = {found["name"] for found in self.api.ask(f"/apis/{self.version}")["resources"]}
        self.check("resources", {self.plural, *(f"{self.plural}/{part}" for part in self.parts)} <= names)

    def made(self, template: Json, *, names: Sequence[str] = ()) -> None:
        """Three are made, by generateName or by the names given, and read again."""
        for number in range(3):
            metadata = {"labels": {"e2e-operations": self.label}, **template.get("metadata", {})}
            metadata |= {"name": names[number]} if names else {"generateName": "e2e-example-"}
            self.created = self.objects.create({**template, "metadata": metadata})
        found = self.objects.get(self.name)
        self.check("same-uid", found["metadata"]["uid"], self.created["metadata"]["uid"])
        self.check("valid-version", valid_version(found))
        self.check("listed", len(self.objects.items(label=self.selector)), 3)

    def listed_everywhere(self) -> None:
        """They are in the list of all namespaces as well."""
        self.check("listed-everywhere", len(self.objects.everywhere().items(label=self.selector)), 3)

    def changed(
        self,
        patch: Json | None = None,
        *,
        patched: Callable[[Json], Any] = lambda _: True,
        edit: Callable[[Json], object] = lambda _: None,
        updated: Callable[[Json], Any] = lambda _: True,
    ) -> None:
        """A merge patch and an update, each with an annotation and what else is given; a watch sees them."""
        since = self.objects.all(label=self.selector)["metadata"]["resourceVersion"]
        with self.objects.watch(since=since, label=self.selector, silence=EVENT_SECONDS) as changes:
            body = {"metadata": {"annotations": {"patched": "true"}}, **(patch or {})}
            after = self.objects.patch(self.name, body, MERGE)
            self.check("patched", annotation(after, "patched") == "true" and patched(after))
            self.check("newer", is_newer(after, self.created))

            def write(item: Json) -> None:
                item["metadata"]["annotations"]["updated"] = "true"
                edit(item)

            later = self.objects.change(self.name, write)
            self.check("updated", annotation(later, "updated") == "true" and updated(later))
            for event in changes:
                self.check("watched", event["type"], "MODIFIED")  # whoever changed it: controllers may have as well
                if annotation(event["object"], "patched") == "true":
                    break
            else:
                raise AssertionError("the watch ended without the patch")

    def ended(self) -> None:
        """One is deleted, then the rest at once; what waits for finalizers counts as deleted."""
        self.objects.delete(self.name)
        self.check("gone", self._is_gone())
        left = [item for item in self._listed() if not item["metadata"].get("finalizers")]
        self.check("two-left", len(left), 2)
        self.objects.delete_all(label=self.selector)
        self.check("none-left", [item for item in self._listed() if not _is_ending(item)], [])

    def ended_at_once(self) -> None:
        """The same of a kind that nobody keeps from being deleted."""
        self.objects.delete(self.name)
        self.check("gone", not self.objects.exists(self.name))
        self.check("two-left", len(self._listed()), 2)
        self.objects.delete_all(label=self.selector)
        self.check("none-left", self._listed(), [])

    @property
    def name(self) -> str:
        """The name of the one that is worked on."""
        return str(self.created["metadata"]["name"])

    def _is_gone(self) -> bool:
        """It may still wait for its finalizers."""
        try:
            found = self.objects.get(self.name)
        except Refused as error:
            return error.code == 404
        return _is_ending(found)

    def _groups(self) -> list[Json]:
        """What client-go knows of groups, who asks for the aggregated document and takes others."""
        found = self.api.ask("/apis", headers={"Accept": DISCOVERY})
        if found["kind"] != "APIGroupDiscoveryList":
            groups: list[Json] = found["groups"]
            return groups
        return [{"name": item["metadata"]["name"], "versions": item["versions"]} for item in found["items"]]

    def _listed(self) -> list[Json]:
        return self.objects.items(label=self.selector)


def _is_ending(item: Json) -> bool:
    """Whether it is deleted but for its finalizers."""
    return "deletionTimestamp" in item["metadata"] and bool(item["metadata"].get("finalizers"))
