"""sig-storage: files that say what is known of their pod, in volumes of their own and in projected ones."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.side_by_side import side_by_side
from contract.volumes import facts
from contract.workloads import Ended, Workloads, container, pod

PLACE = "/etc/podinfo"
RESOURCES = {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "1250m", "memory": "64Mi"}}
TITLES = {"Downward API volume": False, "Projected downwardAPI": True}
SAID = {"cpu_limit": "2", "cpu_request": "1", "memory_limit": "67108864", "memory_request": "33554432"}
ALLOCATABLE = {"cpu_limit": "cpu", "memory_limit": "memory"}
UNITS = {"": Decimal(1), "m": Decimal("0.001"), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}


@dataclass(frozen=True)
class Told:
    """A pod that reads one of its files."""

    projected: bool
    file: str = "podname"
    limited: bool = True
    mode: int | None = None
    item_mode: int | None = None

    @property
    def name(self) -> str:
        """What the pod is called."""
        given = (self.projected, self.file.replace("_", "-"), self.limited, self.mode, self.item_mode)
        return "-".join(("downwardapi-volume", *(str(each).lower() for each in given)))

    @property
    def pod(self) -> Json:
        """The pod: with all its files."""
        files: dict[str, Json] = {"podname": {"fieldRef": {"fieldPath": "metadata.name"}}}
        if self.item_mode is not None:
            files["podname"]["mode"] = self.item_mode
        for path in SAID:
            what, kind = path.split("_")
            which = {"containerName": "client-container", "resource": f"{kind}s.{what}"}
            files[path] = {"resourceFieldRef": which}
        looks = [f"--file_content={PLACE}/{self.file}", f"--file_mode={PLACE}/{self.file}"]
        mounts = [{"name": "podinfo", "mountPath": PLACE}]
        more: dict[str, Any] = {"resources": RESOURCES} if self.file in SAID and self.limited else {}
        reader = container(["mounttest", *looks], name="client-container", volumeMounts=mounts, **more)
        return pod(self.name, reader, volumes=[facts("podinfo", files, self.mode, projected=self.projected)])


def _rows(parts: dict[str, Told]) -> list[ParameterSet]:
    """Both kinds of volumes, each with every case."""
    whole = [(title, what, replace(case, projected=projected)) for title, projected in TITLES.items()
             for what, case in parts.items()]  # fmt: skip
    return [
        pytest.param(case, marks=conformance(f"{title} should {what}"), id=case.name) for title, what, case in whole
    ]


NAMES = {"provide podname only": Told(False)}
MODES = {
    "set DefaultMode on files": Told(False, mode=0o400),
    "set mode on item file": Told(False, item_mode=0o400),
}
OWN = {f"provide container's {file.replace('_', ' ')}": Told(False, file) for file in SAID}
DEFAULTS = {
    f"provide node allocatable ({what}) as default {what} limit if the limit is not set": Told(
        False, file, limited=False
    )
    for file, what in ALLOCATABLE.items()
}


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest, shared: Workloads) -> Iterator[Callable[[Told], Ended]]:
    """What a case's pod came to."""

    def run(case: Told) -> Ended:
        return shared.run(case.pod)

    with side_by_side(request, "case", run) as outcome:
        yield outcome


def _content(check: Checks, case: Told, found: Ended) -> str:
    """What the file says."""
    check("succeeded", found.phase, "Succeeded")
    (line,) = (line for line in found.lines if line.startswith("content"))
    return line.removeprefix(f'content of file "{PLACE}/{case.file}": ')


@pytest.mark.parametrize("case", _rows(NAMES))
def test_its_name(case: Told, ended: Callable[[Told], Ended], check: Checks) -> None:
    check("content", _content(check, case, ended(case)), case.name)


@pytest.mark.parametrize("case", _rows(OWN))
def test_what_a_container_gets(case: Told, ended: Callable[[Told], Ended], check: Checks) -> None:
    check("content", _content(check, case, ended(case)), SAID[case.file])


@pytest.mark.parametrize("case", _rows(DEFAULTS))
def test_what_the_node_has(case: Told, ended: Callable[[Told], Ended], api: Api, check: Checks) -> None:
    found = ended(case)
    node = api.objects("v1", "Node").get(found.pod["spec"]["nodeName"])
    amount = str(node["status"]["allocatable"][ALLOCATABLE[case.file]])
    digits = amount.rstrip("".join(UNITS))
    check("content", _content(check, case, found), str(math.ceil(Decimal(digits) * UNITS[amount[len(digits) :]])))


@pytest.mark.parametrize("case", _rows(MODES))
def test_the_mode_of_its_file(case: Told, ended: Callable[[Told], Ended], check: Checks) -> None:
    found = ended(case)
    check("succeeded", found.phase, "Succeeded")
    line = f'mode of file "{PLACE}/{case.file}": -r--------'
    check("mode", [each for each in found.lines if each.startswith("mode")], [line])
