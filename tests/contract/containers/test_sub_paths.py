"""sig-storage: one file of a volume of files, mounted by its path below the volume."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.side_by_side import side_by_side
from contract.workloads import Ended, Workloads, container, pod

VOLUME = "/test-volume"
GONE_SECONDS = 300
FROM_MAP = {"configMap": {"name": "my-configmap"}}
MAPPED = {**FROM_MAP["configMap"], "items": [{"key": "configmap-key", "path": "projected/configmap-key"}]}
NAMED = {"items": [{"path": "downward/podname", "fieldRef": {"fieldPath": "metadata.name"}}]}
SOURCES: dict[str, Json] = {
    "secret": {"secret": {"secretName": "my-secret"}},
    "configmap": FROM_MAP,
    "existing": FROM_MAP,
    "downward": {"downwardAPI": NAMED},
    "projected": {"projected": {"sources": [{"configMap": MAPPED}]}},
}


@dataclass(frozen=True)
class Below:
    """A file of a volume that is mounted, and what it says."""

    source: str
    path: str
    says: str
    at: str = VOLUME

    @property
    def pod(self) -> Json:
        """A pod that reads it."""
        mounts = [{"name": "test-volume", "mountPath": self.at, "subPath": self.path}]
        reader = container(
            ["mounttest", f"--file_content={self.at}"], name="test-container-subpath", volumeMounts=mounts
        )
        volumes = [{"name": "test-volume", **SOURCES[self.source]}]
        context = {"seLinuxOptions": {"level": "s0:c0,c1"}}
        more: dict[str, Any] = {"securityContext": context, "terminationGracePeriodSeconds": 1}
        return pod(f"pod-subpath-test-{self.source}", reader, volumes=volumes, **more)


def _row(what: str, *case: str) -> ParameterSet:
    name = f"Subpath Atomic writer volumes should support subpaths with {what}"
    return pytest.param(Below(*case), marks=conformance(name), id=case[0])


CASES = [
    _row("secret pod", "secret", "secret-key", "secret-value"),
    _row("configmap pod", "configmap", "configmap-key", "configmap-value"),
    _row(
        "configmap pod with mountPath of existing file",
        "existing",
        "configmap-key",
        "configmap-value",
        "/etc/resolv.conf",
    ),
    _row("downward pod", "downward", "downward/podname", "pod-subpath-test-downward"),
    _row("projected pod", "projected", "projected/configmap-key", "configmap-value"),
]


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest, api: Api, shared: Workloads) -> Iterator[Callable[[Below], Ended]]:
    """What a case's pod came to; it is gone then."""
    secret = {"metadata": {"name": "my-secret"}, "stringData": {"secret-key": "secret-value"}}
    api.objects("v1", "Secret", shared.namespace).create(secret)
    made = {"metadata": {"name": "my-configmap"}, "data": {"configmap-key": "configmap-value"}}
    api.objects("v1", "ConfigMap", shared.namespace).create(made)

    def run(case: Below) -> Ended:
        found = shared.run(case.pod)
        name = found.pod["metadata"]["name"]
        shared.pods.delete(name)
        shared.pods.until_gone(name, GONE_SECONDS)
        return found

    with side_by_side(request, "case", run) as outcome:
        yield outcome


@pytest.mark.parametrize("case", CASES)
def test_a_file_of_a_volume(case: Below, ended: Callable[[Below], Ended], shared: Workloads, check: Checks) -> None:
    found = ended(case)
    check("succeeded", found.phase, "Succeeded")
    check("content", found.lines, [f'content of file "{case.at}": {case.says}'])
    check("gone", not shared.pods.exists(found.pod["metadata"]["name"]))
