"""The environment of a container, as upstream's makeEnvironmentVariables and envvars have it."""

from typing import Any

import pytest

from kubelet.observing import containers, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ConfigMap, ResourceFieldSelector, Secret, Service
from pilothouse.kubelet.environment import (
    ConfigError,
    EnvFile,
    Facts,
    Referred,
    environment,
    field_value,
    files_referred,
    names_referred,
    resource_value,
    service_variables,
)

FACTS = Facts(("10.88.0.2", "fd01::2"), ("10.0.0.1",), {"cpu": "3500m", "memory": "8Gi", "ephemeral-storage": "9Gi"})
SETTINGS = ConfigMap({"data": {"b": "2", "a": "1"}})
KEYS = Secret({"data": {"k": "c2VjcmV0"}})
REFERRED = Referred({"c": SETTINGS, "gone": None}, {"s": KEYS, "gone": None},
                    {("v", "f"): EnvFile("/pods/v/f", "A='from a file'"), ("v", "none"): EnvFile("/pods/v/none", None),
                     ("v", "bad"): EnvFile("/pods/v/bad", "A=x"), ("w", "f"): None})  # fmt: skip
SERVICES = {"DB_HOST": "10.96.0.9"}


def built(env: list[JsonObject] | None = None, **container: Any) -> dict[str, str]:
    one = pod(containers=containers("app", env=env or [], **container))
    return dict(environment(one, one.spec.containers[0], REFERRED, SERVICES, FACTS))


def source(**origin: Any) -> list[JsonObject]:
    return [{"name": "X", "valueFrom": origin}]


@pytest.mark.parametrize(("env", "expected"), [
    ([{"name": "A", "value": "1"}], {"A": "1"}),
    ([{"name": "A"}], {"A": ""}),
    ([{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}], {"A": "1", "B": "12"}),
    ([{"name": "B", "value": "$(A)2"}, {"name": "A", "value": "1"}], {"B": "$(A)2", "A": "1"}),
    ([{"name": "A", "value": "$$(A) $(NONE) $(A $"}], {"A": "$(A) $(NONE) $(A $"}),
    ([{"name": "A", "value": "to $(DB_HOST)"}], {"A": "to 10.96.0.9"}),
    ([{"name": "DB_HOST", "value": "mine"}], {"DB_HOST": "mine"}),
    (source(configMapKeyRef={"name": "c", "key": "a"}), {"X": "1"}),
    (source(configMapKeyRef={"name": "c", "key": "z", "optional": True}), {}),
    (source(configMapKeyRef={"name": "gone", "key": "z", "optional": True}), {}),
    (source(secretKeyRef={"name": "s", "key": "k"}), {"X": "secret"}),
    (source(secretKeyRef={"name": "gone", "key": "k", "optional": True}), {}),
    (source(fieldRef={"fieldPath": "metadata.name"}), {"X": "web"}),
    (source(fileKeyRef={"volumeName": "v", "path": "f", "key": "A"}), {"X": "from a file"}),
    (source(fileKeyRef={"volumeName": "v", "path": "f", "key": "B", "optional": True}), {}),
])  # fmt: skip
def test_variables(env: list[JsonObject], expected: dict[str, str]) -> None:
    assert built(env) == {**SERVICES, **expected}


@pytest.mark.parametrize(("origin", "message"), [
    ({"configMapKeyRef": {"name": "gone", "key": "a"}}, 'configmap "gone" not found'),
    ({"configMapKeyRef": {"name": "c", "key": "z"}}, "couldn't find key z in ConfigMap default/c"),
    ({"secretKeyRef": {"name": "gone", "key": "a"}}, 'secret "gone" not found'),
    ({"secretKeyRef": {"name": "s", "key": "z"}}, "couldn't find key z in Secret default/s"),
    ({"fileKeyRef": {"volumeName": "w", "path": "f", "key": "A"}},
     'cannot find the volume "w" referenced by FileKeyRef'),
    ({"fileKeyRef": {"volumeName": "v", "path": "none", "key": "A"}}, "couldn't parse env file"),
    ({"fileKeyRef": {"volumeName": "v", "path": "bad", "key": "A"}}, "couldn't parse env file"),
    ({"fileKeyRef": {"volumeName": "v", "path": "f", "key": "B"}},
     'environment variable key "B" not found in file "/pods/v/f"'),
])  # fmt: skip
def test_what_is_missing_is_said(origin: JsonObject, message: str) -> None:
    with pytest.raises(ConfigError) as found:
        built(source(**origin))
    assert str(found.value) == message


@pytest.mark.parametrize(("sources", "expected"), [
    ([{"configMapRef": {"name": "c"}}], {"a": "1", "b": "2"}),
    ([{"configMapRef": {"name": "c"}, "prefix": "P_"}], {"P_a": "1", "P_b": "2"}),
    ([{"secretRef": {"name": "s"}, "prefix": "P_"}], {"P_k": "secret"}),
    ([{"configMapRef": {"name": "gone", "optional": True}}, {"secretRef": {"name": "gone", "optional": True}}], {}),
])  # fmt: skip
def test_whole_objects(sources: list[JsonObject], expected: dict[str, str]) -> None:
    assert built(envFrom=sources) == {**SERVICES, **expected}


def test_own_variables_win_over_whole_objects_and_may_refer_to_them() -> None:
    assert built([{"name": "a", "value": "own $(b)"}], envFrom=[{"configMapRef": {"name": "c"}}]) == {
        **SERVICES, "a": "own 2", "b": "2",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["configMapRef", "secretRef"])
def test_a_missing_whole_object_is_said(kind: str) -> None:
    with pytest.raises(ConfigError, match=f'{kind[:-3].lower()} "gone" not found'):
        built(envFrom=[{kind: {"name": "gone"}}])


def test_what_is_referred_to() -> None:
    env = [*source(configMapKeyRef={"name": "a", "key": "k"}), *source(secretKeyRef={"name": "b", "key": "k"}),
           *source(fileKeyRef={"volumeName": "v", "path": "f", "key": "k"})]  # fmt: skip
    whole = [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "d"}}]
    (container,) = pod(containers=containers("app", env=env, envFrom=whole)).spec.containers
    assert names_referred(container) == ({"a", "c"}, {"b", "d"})
    assert files_referred(container) == {("v", "f")}


META = {"labels": {"b": "2", "a": 'say "x"\n\u00e9\x01\xa0'}, "annotations": {"k/x": "v"}}


@pytest.mark.parametrize(("path", "value"), [
    ("metadata.name", "web"),
    ("metadata.namespace", "default"),
    ("metadata.uid", "uid-web"),
    ("metadata.labels['b']", "2"),
    ("metadata.labels['none']", ""),
    ("metadata.annotations['k/x']", "v"),
    ("metadata.labels", 'a="say \\"x\\"\\n\u00e9\\x01\\u00a0"\nb="2"'),
    ("metadata.annotations", 'k/x="v"'),
    ("spec.nodeName", "n1"),
    ("spec.serviceAccountName", "sa"),
    ("status.hostIP", "10.0.0.1"),
    ("status.hostIPs", "10.0.0.1"),
    ("status.podIP", "10.88.0.2"),
    ("status.podIPs", "10.88.0.2,fd01::2"),
])  # fmt: skip
def test_fields(path: str, value: str) -> None:
    assert field_value(pod(metadata=META, serviceAccountName="sa"), path, FACTS) == value


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"unsupported fieldPath: spec\.priority"):
        field_value(pod(), "spec.priority", FACTS)


ASKED = {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"cpu": "1500m", "hugepages-2Mi": "4Mi"}}


@pytest.mark.parametrize(("resource", "divisor", "value"), [
    ("limits.cpu", "", "2"),
    ("limits.cpu", "1m", "1500"),
    ("limits.cpu", "0", "2"),
    ("requests.cpu", "1m", "250"),
    ("requests.cpu", "", "1"),
    ("requests.memory", "1Mi", "64"),
    ("requests.memory", "", "67108864"),
    ("requests.memory", "1M", "68"),
    ("requests.ephemeral-storage", "", "0"),
    ("limits.memory", "1Gi", "8"),
    ("limits.ephemeral-storage", "1Gi", "9"),
    ("limits.hugepages-2Mi", "1Mi", "4"),
])  # fmt: skip
def test_resources(resource: str, divisor: str, value: str) -> None:
    """A limit that is not set is all the node can give."""
    one = pod(containers=containers("app", resources=ASKED))
    wanted = ResourceFieldSelector({"resource": resource} | ({"divisor": divisor} if divisor else {}))
    assert resource_value(one, one.spec.containers[0], wanted, FACTS) == value


def test_resources_of_another_container_and_of_the_pod() -> None:
    one = pod(containers=[*containers("app"), *containers("other", resources=ASKED)],
              resources={"limits": {"memory": "1Gi"}})  # fmt: skip
    app = one.spec.containers[0]
    of_other = ResourceFieldSelector({"resource": "limits.cpu", "containerName": "other", "divisor": "1m"})
    assert resource_value(one, app, of_other, FACTS) == "1500"
    # Assumed: where the pod as a whole is limited, its limit stands in for a container's.
    of_pod = ResourceFieldSelector({"resource": "limits.memory", "divisor": "1Gi"})
    assert resource_value(one, app, of_pod, FACTS) == "1"
    nobody = ResourceFieldSelector({"resource": "limits.cpu", "containerName": "none"})
    with pytest.raises(ConfigError, match="container none not found"):
        resource_value(one, app, nobody, FACTS)


def service(name: str, namespace: str = "default", ip: str = "10.96.0.9", **spec: Any) -> Service:
    ports = [{"port": 80, "protocol": "TCP"}]
    return Service(
        {"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": ip, "ports": ports} | spec}
    )


def test_variables_of_a_service() -> None:
    ports = [{"name": "http-main", "port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    assert service_variables("default", [service("my-db", ports=ports)], links=True) == {
        "MY_DB_SERVICE_HOST": "10.96.0.9",
        "MY_DB_SERVICE_PORT": "80",
        "MY_DB_SERVICE_PORT_HTTP_MAIN": "80",
        "MY_DB_PORT": "tcp://10.96.0.9:80",
        "MY_DB_PORT_80_TCP": "tcp://10.96.0.9:80",
        "MY_DB_PORT_80_TCP_PROTO": "tcp",
        "MY_DB_PORT_80_TCP_PORT": "80",
        "MY_DB_PORT_80_TCP_ADDR": "10.96.0.9",
        "MY_DB_PORT_53_UDP": "udp://10.96.0.9:53",
        "MY_DB_PORT_53_UDP_PROTO": "udp",
        "MY_DB_PORT_53_UDP_PORT": "53",
        "MY_DB_PORT_53_UDP_ADDR": "10.96.0.9",
    }


def test_an_address_of_version_6_stands_in_brackets() -> None:
    found = service_variables("default", [service("a", ip="fd00::9")], links=True)
    assert (found["A_SERVICE_HOST"], found["A_PORT"], found["A_PORT_80_TCP_ADDR"]) == (
        "fd00::9", "tcp://[fd00::9]:80", "fd00::9",
    )  # fmt: skip


@pytest.mark.parametrize(("links", "expected"), [
    (True, {"KUBERNETES", "NEAR"}),
    (False, {"KUBERNETES"}),
])  # fmt: skip
def test_a_pod_sees_the_services_of_its_namespace_and_the_api_server(links: bool, expected: set[str]) -> None:
    services = [service("kubernetes"), service("near", "mine"), service("far", "other"),
                service("headless", "mine", "None"), service("external", "mine", "")]  # fmt: skip
    found = service_variables("mine", services, links=links)
    assert {name.removesuffix("_SERVICE_HOST") for name in found if name.endswith("_SERVICE_HOST")} == expected


def test_a_service_called_kubernetes_elsewhere_does_not_stand_in_for_the_api_server_unseen() -> None:
    own = service("kubernetes", "mine", "10.96.0.77")
    assert service_variables("mine", [own], links=False) == {}
