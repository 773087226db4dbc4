"""sig-storage: volumes of files say what their source says now, while the pod runs.

All pods are begun together: each looks at its files every other second.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from _pytest.mark import ParameterSet

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.pods import until_running
from contract.side_by_side import side_by_side
from contract.volumes import CONFIG_MAP, PROJECTED_CONFIG_MAP, SOURCES, Source, facts
from contract.workloads import Workloads, container, pod

UPDATE_SECONDS = 240
"""GetPodSecretUpdateTimeout of upstream's, where the kubelet keeps what it reads for a minute."""
PLACE = "/etc/volumes"
BEFORE = {"labels": {"key1": "value1", "key2": "value2"}, "annotations": {"builder": "bar"}}
AFTER = {"labels": {"key3": "value3"}, "annotations": {"builder": "foo"}}
SAID = {"labels": ('key1="value1"\n', 'key3="value3"\n'), "annotations": ('builder="bar"\n', 'builder="foo"\n')}
FACTS = {"Downward API volume": False, "Projected downwardAPI": True}

Logs = Mapping[str, str]
"""What each container has printed in the end."""


def _looking(name: str, file: str) -> Json:
    """A container that tells again and again what is in a file of the volume of its name."""
    arguments = ["mounttest", "--break_on_expected_content=false", f"--retry_time={UPDATE_SECONDS}"]
    mounts = [{"name": name, "mountPath": f"{PLACE}/{name}", "readOnly": True}]
    path = f"--file_content_in_loop={PLACE}/{name}/{file}"
    return container([*arguments, path], name=name, volumeMounts=mounts)


def _error(name: str, file: str) -> str:
    return f"Error reading file {PLACE}/{name}/{file}"


class Followed:
    """Pods whose files change under them."""

    def __init__(self, api: Api, workloads: Workloads) -> None:
        self._workloads = workloads
        self._kinds = {kind: api.objects("v1", kind, workloads.namespace) for kind in ("ConfigMap", "Secret")}

    def updated(self, source: Source) -> Logs:
        """A value that becomes another."""
        name, objects = f"upd-{source.name}", self._kinds[source.kind]
        objects.create(source.object(name, **{"data-1": "value-1"}))
        self._begin(pod(name, _looking("update", "data-1"), volumes=[source.volume("update", name)]))
        self._until(name, update="value-1")
        objects.update(source.object(name, **{"data-1": "value-2"}))
        return self._until(name, update="value-2")

    def optional(self, source: Source) -> Logs:
        """Objects that may be missing: one goes, one loses a key and gets another, one comes."""
        whole, objects = f"opt-{source.name}", self._kinds[source.kind]
        names = {each: f"{whole}-{each}" for each in ("delete", "update", "create")}
        for each in ("delete", "update"):
            objects.create(source.object(names[each], **{"data-1": "value-1"}))
        volumes = [source.volume(each, name, optional=True) for each, name in names.items()]
        files = {"delete": "data-1", "update": "data-3", "create": "data-1"}
        self._begin(pod(whole, *(_looking(each, file) for each, file in files.items()), volumes=volumes))
        missing = {each: _error(each, file) for each, file in files.items()}
        self._until(whole, create=missing["create"], update=missing["update"], delete="value-1")
        objects.delete(names["delete"])
        objects.update(source.object(names["update"], **{"data-3": "value-3"}))
        objects.create(source.object(names["create"], **{"data-1": "value-1"}))
        return self._until(whole, create="value-1", update="value-3", delete=missing["delete"])

    def described(self, what: str, *, projected: bool) -> Logs:
        """A pod whose labels or annotations are changed."""
        name = f"{what}-update-{projected}".lower()
        volume = facts("podinfo", {what: {"fieldRef": {"fieldPath": f"metadata.{what}"}}}, projected=projected)
        self._begin(pod(name, _looking("podinfo", what), volumes=[volume], metadata={what: BEFORE[what]}))
        self._until(name, podinfo=SAID[what][0])
        self._workloads.pods.change(name, lambda item: item["metadata"][what].update(AFTER[what]))
        return self._until(name, podinfo=SAID[what][1])

    def _begin(self, made: Json) -> None:
        made["spec"]["terminationGracePeriodSeconds"] = 1
        until_running(self._workloads.pods, self._workloads.pods.create(made)["metadata"]["name"])

    def _until(self, name: str, **wanted: str) -> Logs:
        """Wait until each container has printed something."""
        return {each: self._workloads.until_log(name, text, each, UPDATE_SECONDS) for each, text in wanted.items()}


@dataclass(frozen=True)
class Case:
    """What changes, and of which kind the volume is."""

    what: str
    source: Source = CONFIG_MAP
    projected: bool = False


def _row(title: str, what: str, case: Case) -> ParameterSet:
    return pytest.param(case, marks=conformance(f"{title} {what}"), id=title)


UPDATES = [
    _row(source.title, "updates should be reflected in volume", Case("value", source))
    for source in (CONFIG_MAP, PROJECTED_CONFIG_MAP)
]
OPTIONAL = [
    _row(source.title, "optional updates should be reflected in volume", Case("objects", source)) for source in SOURCES
]
DESCRIPTIONS = [
    _row(title, f"should update {what} on modification", Case(what, projected=projected))
    for title, projected in FACTS.items()
    for what in BEFORE
]


@pytest.fixture(scope="module")
def logs(request: pytest.FixtureRequest, api: Api, shared: Workloads) -> Iterator[Callable[[Case], Logs]]:
    """What a case's containers have printed, when all has come that should."""
    followed = Followed(api, shared)

    def run(case: Case) -> Logs:
        if case.what in BEFORE:
            return followed.described(case.what, projected=case.projected)
        return followed.updated(case.source) if case.what == "value" else followed.optional(case.source)

    with side_by_side(request, "case", run) as outcome:
        yield outcome


def _in_order(log: str, *wanted: str) -> bool:
    """Whether each is in the log, and none before the one that it follows."""
    places = [log.find(each) for each in wanted]
    return -1 not in places and places == sorted(places)


@pytest.mark.parametrize("case", UPDATES)
def test_a_value_changes(case: Case, logs: Callable[[Case], Logs], check: Checks) -> None:
    found = logs(case)["update"]
    check("before", "value-1" in found)
    check("after", _in_order(found, "value-1", "value-2"))


@pytest.mark.parametrize("case", OPTIONAL)
def test_objects_come_and_go(case: Case, logs: Callable[[Case], Logs], check: Checks) -> None:
    found = logs(case)
    check("created", _in_order(found["create"], _error("create", "data-1"), "value-1"))
    check("updated", _in_order(found["update"], _error("update", "data-3"), "value-3"))
    check("deleted", _in_order(found["delete"], "value-1", _error("delete", "data-1")))


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_the_pod_changes(case: Case, logs: Callable[[Case], Logs], check: Checks) -> None:
    before, after = SAID[case.what]
    found = logs(case)["podinfo"]
    check("before", before in found)
    check("after", _in_order(found, before, after))
