"""sig-node: the variables that a container finds, by what they come from. The pods of the table run side by side."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX
from contract.side_by_side import side_by_side
from contract.workloads import Ended, Workloads, container, pod

_NAME = "values"
"""Of the ConfigMap and of the Secret that the pods read."""
_KEYS = ("data-1", "data-2", "data-3")
_PREFIXES = ("", "1-", "$_-", "ABC_", "#@!")
_RESOURCES = {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "1250m", "memory": "64Mi"}}
_RETRIES = 3


@dataclass(frozen=True)
class Row:
    """A pod that prints its environment."""

    env: Sequence[Json] = ()
    env_from: Sequence[Json] = ()
    resources: Mapping[str, Any] | None = None
    lines: Sequence[str] = ()
    """Patterns, each of a whole line of what it prints; the pod's facts stand in braces."""

    def body(self, name: str) -> Json:
        """The pod."""
        more: Json = {"env": [*self.env], "envFrom": [*self.env_from], "resources": self.resources or {}}
        return pod(name, container(name="env-test", image=BUSYBOX, command=["env"], **more))


def _keys(source: str, *prefixes: str) -> Row:
    """All keys of the source, once with each prefix."""
    given = [{**({"prefix": each} if each else {}), source: {"name": _NAME}} for each in prefixes]
    lines = [f"{re.escape(prefix + key)}={key.replace('data', 'value')}" for prefix in prefixes for key in _KEYS]
    return Row(env_from=given, lines=lines)


def _key(variable: str, source: str) -> Row:
    given = {"name": variable, "valueFrom": {source: {"name": _NAME, "key": "data-1"}}}
    return Row(env=[given], lines=[f"{variable}=value-1"])


def _fields(**fields: str) -> Row:
    """Fields of the pod; each fact is named as its variable is."""
    given = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    return Row(env=given, resources=_RESOURCES, lines=[f"{name}={{{name}}}" for name in fields])


def _amounts(resources: Mapping[str, Any] | None, **wanted: str) -> Row:
    """Amounts by their variables, `CPU_LIMIT` for limits.cpu."""
    given = []
    for variable in wanted:
        resource, kind = variable.lower().split("_")
        given.append({"name": variable, "valueFrom": {"resourceFieldRef": {"resource": f"{kind}s.{resource}"}}})
    return Row(env=given, resources=resources, lines=[f"{name}={amount}" for name, amount in wanted.items()])


TABLE = {
    "ConfigMap should be consumable via environment variable": _key("CONFIG_DATA_1", "configMapKeyRef"),
    "ConfigMap should be consumable via the environment": _keys("configMapRef", "", "p-"),
    "ConfigMap should be consumable as environment variable names with various prefixes": _keys(
        "configMapRef", *_PREFIXES
    ),
    "Secrets should be consumable from pods in env vars": _key("SECRET_DATA", "secretKeyRef"),
    "Secrets should be consumable via the environment": _keys("secretRef", "", "p-"),
    "Secrets should be consumable as environment variable names variable names with various prefixes": _keys(
        "secretRef", *_PREFIXES
    ),
    "Downward API should provide pod name, namespace and IP address as env vars": _fields(
        POD_NAME="metadata.name", POD_NAMESPACE="metadata.namespace", POD_IP="status.podIP"
    ),
    "Downward API should provide host IP as an env var": _fields(HOST_IP="status.hostIP"),
    "Downward API should provide hostIPs as an env var": _fields(HOST_IPS="status.hostIPs"),
    "Downward API should provide pod UID as env vars": _fields(POD_UID="metadata.uid"),
    "Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars": _amounts(
        _RESOURCES, CPU_LIMIT="2", MEMORY_LIMIT="67108864", CPU_REQUEST="1", MEMORY_REQUEST="33554432"
    ),
    "Downward API should provide default limits.cpu/memory from node allocatable": _amounts(
        None, CPU_LIMIT="[1-9][0-9]*", MEMORY_LIMIT="[1-9][0-9]*"
    ),
}


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, api: Api, shared: Workloads) -> Iterator[Callable[[str], Ended]]:
    """What came of the pods, by what they stand for."""
    values = {key: key.replace("data", "value") for key in _KEYS}
    api.objects("v1", "ConfigMap", shared.namespace).create({"metadata": {"name": _NAME}, "data": values})
    secrets = api.objects("v1", "Secret", shared.namespace)
    secrets.create({"metadata": {"name": _NAME}, "stringData": {key: f"{value}\n" for key, value in values.items()}})

    def run(name: str) -> Ended:
        return shared.run(TABLE[name].body(f"env-{[*TABLE].index(name)}"))

    with side_by_side(request, "name", run) as found:
        yield found


def _facts(ended: Ended) -> dict[str, str]:
    """What the variables of fields must be, as patterns."""
    metadata, status = ended.pod["metadata"], ended.pod["status"]
    facts = {
        "POD_NAME": metadata["name"], "POD_NAMESPACE": metadata["namespace"], "POD_UID": metadata["uid"],
        "POD_IP": status["podIP"], "HOST_IP": status["hostIP"],
        "HOST_IPS": ",".join(each["ip"] for each in status["hostIPs"]),
    }  # fmt: skip
    return {name: re.escape(value) for name, value in facts.items()}


@pytest.mark.parametrize("name", [pytest.param(name, marks=conformance(name)) for name in TABLE])
def test_variables(name: str, outcome: Callable[[str], Ended], check: Checks) -> None:
    ended = outcome(name)
    check("succeeded", ended.phase, "Succeeded")
    facts = _facts(ended)
    wanted = [line.format(**facts) for line in TABLE[name].lines]
    check("variables", [line for line in wanted if not re.search(f"^{line}$", ended.log, re.MULTILINE)], [])


@conformance("Pods should contain environment variables for services")
def test_services(api: Api, workloads: Workloads, check: Checks) -> None:
    service = {
        "metadata": {"name": "fooservice"},
        "spec": {"ports": [{"port": 8765, "targetPort": 8080}], "selector": {"name": "server"}},
    }
    made = api.objects("v1", "Service", workloads.namespace).create(service)
    address = made["spec"]["clusterIP"]
    wanted = {
        "FOOSERVICE_SERVICE_HOST": address, "FOOSERVICE_SERVICE_PORT": "8765",
        "FOOSERVICE_PORT": f"tcp://{address}:8765", "FOOSERVICE_PORT_8765_TCP_PORT": "8765",
        "FOOSERVICE_PORT_8765_TCP_PROTO": "tcp", "FOOSERVICE_PORT_8765_TCP": f"tcp://{address}:8765",
        "FOOSERVICE_PORT_8765_TCP_ADDR": address,
    }  # fmt: skip
    found: dict[str, str] = {}
    for attempt in range(_RETRIES):  # the node may not have heard of the service yet
        ended = workloads.run(Row().body(f"client-{attempt}"))
        check("succeeded", ended.phase, "Succeeded")
        found = dict(line.split("=", 1) for line in ended.lines if line.startswith("FOOSERVICE_"))
        if found == wanted:
            break
    check("variables", found, wanted)
