from typing import Any

import pytest

from pilothouse.api.machinery.errors import BadRequest, ServiceUnavailable
from pilothouse.apiserver.streaming.backends import (
    Location,
    Named,
    may_be_proxied,
    named,
    node_location,
    pod_location,
    service_location,
)
from pilothouse.runtime.chance import Chance


@pytest.mark.parametrize(
    ("text", "scheme", "name", "port"),
    [
        ("web", "", "web", ""),
        ("web:80", "", "web", "80"),
        ("web:http", "", "web", "http"),
        ("https:web:443", "https", "web", "443"),
        ("http:web:", "http", "web", ""),
        (":web:80", "", "web", "80"),
        ("web:", "", "web", ""),
    ],
)
def test_names(text: str, scheme: str, name: str, port: str) -> None:
    assert named("pod", text) == Named(text, scheme, name, port)


@pytest.mark.parametrize("text", ["", ":80", "ftp:web:80", "a:b:c:d", "https::80"])
def test_names_that_are_none(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        named("service", text)
    assert refused.value.message == f'invalid service request "{text}"'


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.0.0.1", True), ("192.168.0.1", True), ("8.8.8.8", True), ("fd00::1", True), ("2001:db8::1", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("::1", False), ("169.254.169.254", False), ("fe80::1", False),
        ("0.0.0.0", False), ("::", False), ("224.0.0.1", False), ("ff02::1", False), ("255.255.255.255", False),
        ("::ffff:127.0.0.1", False), ("::ffff:169.254.1.1", False), ("", False), ("web", False),
    ],
)  # fmt: skip
def test_which_addresses_may_be_dialled(address: str, allowed: bool) -> None:
    assert may_be_proxied(address) is allowed


def _pod(*ports: list[int], address: str = "10.0.0.1") -> dict[str, Any]:
    containers = [{"name": "c", "ports": [{"containerPort": port} for port in each]} for each in ports]
    return {"spec": {"containers": containers}, "status": {"podIPs": [{"ip": address}] if address else []}}


@pytest.mark.parametrize(
    ("wanted", "pod", "authority", "number"),
    [
        ("p", _pod([], [8080, 9090]), "10.0.0.1:8080", 8080),
        ("p:9", _pod([8080]), "10.0.0.1:9", 9),
        ("p", _pod([]), "10.0.0.1", 80),
        ("https:p:", _pod([]), "10.0.0.1", 443),
        ("p:https", _pod([]), "10.0.0.1:https", 443),
        ("p:1", _pod([], address="fd00::1"), "[fd00::1]:1", 1),
    ],
)
def test_pods(wanted: str, pod: dict[str, Any], authority: str, number: int) -> None:
    location = pod_location(pod, named("pod", wanted), may_be_proxied)
    assert (location.authority, location.number(), location.kubelet) == (authority, number, False)


@pytest.mark.parametrize("address", ["", "127.0.0.1", "169.254.169.254"])
def test_pods_that_are_not_of_the_network(address: str) -> None:
    with pytest.raises(BadRequest) as refused:
        pod_location(_pod([80], address=address), named("pod", "p"), may_be_proxied)
    assert refused.value.message == "address not allowed"


@pytest.mark.parametrize(
    ("port", "message"),
    [("web", "dial tcp: lookup tcp/web: unknown port"), ("70000", "dial tcp: address 70000: invalid port"),
     ("²", "dial tcp: lookup tcp/²: unknown port")],
)  # fmt: skip
def test_ports_that_do_not_exist(port: str, message: str) -> None:
    with pytest.raises(OSError, match=message):
        Location("http", "10.0.0.1", port).number()


NODE = {"status": {"addresses": [{"type": "InternalIP", "address": "10.1.0.1"}]}}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("n", Location("https", "10.1.0.1", "10250", kubelet=True)),
        ("http:n:10250", Location("https", "10.1.0.1", "10250", kubelet=True)),
        ("n:9100", Location("http", "10.1.0.1", "9100")),
        ("https:n:9100", Location("https", "10.1.0.1", "9100")),
    ],
)
def test_nodes(wanted: str, expected: Location) -> None:
    assert node_location(NODE, named("node", wanted)) == expected


SERVICE = {
    "metadata": {"name": "s", "namespace": "shop"},
    "spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]},
}
PLAIN = {"metadata": SERVICE["metadata"], "spec": {"ports": [{"port": 80}]}}


def _slice(*endpoints: dict[str, Any], name: str = "http", port: int = 8080, kind: str = "IPv4") -> dict[str, Any]:
    return {"addressType": kind, "ports": [{"name": name, "port": port}], "endpoints": list(endpoints)}


def _endpoint(number: int, *, ready: bool | None = True, namespace: str = "shop", pod: str = "") -> dict[str, Any]:
    target = {"kind": "Pod", "namespace": namespace, "name": pod or f"p{number}"}
    conditions = {} if ready is None else {"ready": ready}
    return {"addresses": [f"10.0.0.{number}"], "conditions": conditions, "targetRef": target}


def _pod_of(name: str) -> dict[str, Any] | None:
    return None if name == "gone" else {"status": {"podIPs": [{"ip": f"10.0.0.{name[1:]}"}]}}


def _find(wanted: str, *slices: dict[str, Any], service: Any = SERVICE, seed: int = 1) -> str:
    asked = named("service", wanted)
    return service_location(service, slices, _pod_of, asked, may_be_proxied, Chance(seed)).authority


@pytest.mark.parametrize(
    ("wanted", "service", "slices", "expected"),
    [
        ("s:http", SERVICE, [_slice(_endpoint(1))], "10.0.0.1:8080"),
        ("s:80", SERVICE, [_slice(_endpoint(1))], "10.0.0.1:8080"),
        ("s:81", SERVICE, [_slice(_endpoint(1)), _slice(_endpoint(2), name="admin", port=9)], "10.0.0.2:9"),
        ("s", PLAIN, [_slice(_endpoint(1), name="")], "10.0.0.1:8080"),
        ("s:80", PLAIN, [_slice(_endpoint(1), name="")], "10.0.0.1:8080"),
        ("s:http", SERVICE, [_slice(_endpoint(1, ready=False), _endpoint(2))], "10.0.0.2:8080"),
        ("s:http", SERVICE, [_slice(_endpoint(1, ready=None))], "10.0.0.1:8080"),
        ("s:http", SERVICE, [_slice(_endpoint(1, namespace="other"), _endpoint(2))], "10.0.0.2:8080"),
        ("s:http", SERVICE, [_slice(_endpoint(1, pod="p3"), _endpoint(2))], "10.0.0.2:8080"),
        ("s:http", SERVICE, [_slice(_endpoint(1, pod="gone"), _endpoint(2))], "10.0.0.2:8080"),
        ("s:http", SERVICE, [_slice(_endpoint(1), kind="FQDN"), _slice(_endpoint(2))], "10.0.0.2:8080"),
    ],
)
def test_services(wanted: str, service: Any, slices: list[dict[str, Any]], expected: str) -> None:
    assert {_find(wanted, *slices, service=service, seed=seed) for seed in range(8)} == {expected}


def test_any_of_the_pods_is_taken() -> None:
    slices = [_slice(_endpoint(1), _endpoint(2)), _slice(_endpoint(3))]
    assert {_find("s:http", *slices, seed=seed) for seed in range(40)} == {f"10.0.0.{n}:8080" for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("wanted", "slices", "message"),
    [
        ("s:82", [_slice(_endpoint(1))], 'no service port 82 found for service "s"'),
        ("s:http", [], 'no endpoints available for service "s"'),
        ("s:http", [_slice()], 'no endpoints available for service "s"'),
        ("s:nope", [_slice(_endpoint(1))], 'no endpoints available for service "s:nope"'),
        ("s", [_slice(_endpoint(1))], 'no endpoints available for service "s"'),
        ("https:s:http", [_slice(_endpoint(1, ready=False))], 'no endpoints available for service "https:s:http"'),
        ("s:http", [_slice({"addresses": ["10.0.0.1"]})], 'no endpoints available for service "s:http"'),
    ],
)
def test_services_without_anybody_to_ask(wanted: str, slices: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ServiceUnavailable) as refused:
        _find(wanted, *slices)
    assert refused.value.message == message


def test_an_endpoint_on_the_servers_own_machine_is_not_called() -> None:
    endpoint = {"addresses": ["127.0.0.1"], "targetRef": {"kind": "Pod", "namespace": "shop", "name": "p"}}
    with pytest.raises(ServiceUnavailable):
        service_location(
            SERVICE, [_slice(endpoint)], lambda _: {"status": {"podIPs": [{"ip": "127.0.0.1"}]}},
            named("service", "s:http"), may_be_proxied, Chance(1),
        )  # fmt: skip
