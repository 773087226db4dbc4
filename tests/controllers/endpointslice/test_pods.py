from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Pod, Service
from pilothouse.client.informer import Lister
from pilothouse.client.key import Key
from pilothouse.controllers.endpointslice.pods import (
    TriggerTimes,
    affected,
    has_endpoints,
    hostname_of,
    is_published,
    pods_of,
    services_of,
    target_port,
)
from pilothouse.runtime.clock import parse_time

GOING = "2026-01-01T00:00:00Z"


def _pod(name: str = "a", *, labels: dict[str, str] | None = None, phase: str = "Running", ip: str = "10.0.0.1",
         ready: str = "True", since: str = "", going: bool = False, **spec: Any) -> Pod:  # fmt: skip
    meta: dict[str, Any] = {"name": name, "namespace": "ns", "labels": {"app": "web"} if labels is None else labels}
    if going:
        meta["deletionTimestamp"] = GOING
    condition = {"type": "Ready", "status": ready, **({"lastTransitionTime": since} if since else {})}
    status = {"phase": phase, "podIPs": [{"ip": ip}] if ip else [], "conditions": [condition]}
    return Pod({"metadata": meta, "spec": {"nodeName": "n", **spec}, "status": status})


def _service(name: str = "web", selector: dict[str, str] | None = None, **spec: Any) -> Service:
    meta = {"name": name, "namespace": "ns", "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return Service({"metadata": meta, "spec": {"selector": selector, **spec}})


def _lister(*views: Any) -> Lister[Any]:
    lister: Lister[Any] = Lister()
    for view in views:
        lister._put(Key.of(view), view)
    return lister


def test_a_selector_must_match_whole_and_an_empty_one_matches_nothing() -> None:
    both = {"app": "web", "tier": "front"}
    pods = _lister(_pod("a"), _pod("b", labels=both), _pod("c", labels={}))
    services = _lister(_service("one", {"app": "web"}), _service("two", both), _service("none"), _service("empty", {}))
    assert [pod.metadata.name for pod in pods_of(_service(selector={"app": "web"}), pods)] == ["a", "b"]
    assert pods_of(_service(), pods) == []
    assert [key.name for key in services_of(_pod(labels=both), services)] == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        pytest.param(None, _pod(), ["web"], id="it came"),
        pytest.param(_pod(), None, ["web"], id="it went"),
        pytest.param(_pod(), _pod(), [], id="nothing that is published"),
        pytest.param(_pod(), _pod(ready="False"), ["web"], id="readiness"),
        pytest.param(_pod(), _pod(going=True), ["web"], id="told to end"),
        pytest.param(_pod(), _pod(phase="Failed"), ["web"], id="ended"),
        pytest.param(_pod(ip=""), _pod(), ["web"], id="address"),
        pytest.param(_pod(), _pod(labels={"app": "db"}), ["web", "db"], id="other labels"),
        pytest.param(_pod(), _pod(labels={"app": "web", "x": "y"}), ["x"], id="one more label"),
        pytest.param(_pod(), _pod(labels={"app": "web", "x": "y"}, ready="False"), ["web", "x"], id="both"),
    ],
)
def test_which_services_a_change_concerns(old: Pod | None, new: Pod | None, names: list[str]) -> None:
    services = _lister(_service("web", {"app": "web"}), _service("db", {"app": "db"}), _service("x", {"x": "y"}))
    assert [key.name for key in affected(old, new, services)] == names


@pytest.mark.parametrize(
    ("pod", "ending", "without"),
    [
        pytest.param(_pod(), True, True, id="running"),
        pytest.param(_pod(ready="False"), True, True, id="not ready"),
        pytest.param(_pod(going=True), True, False, id="told to end"),
        pytest.param(_pod(phase="Succeeded"), False, False, id="succeeded"),
        pytest.param(_pod(phase="Failed"), False, False, id="failed"),
        pytest.param(_pod(ip=""), False, False, id="no address"),
    ],
)
def test_which_pods_are_published(pod: Pod, ending: bool, without: bool) -> None:
    assert (has_endpoints(pod, terminating=True), has_endpoints(pod, terminating=False)) == (ending, without)


def _container(name: str, port: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "ports": [{"name": "http", "containerPort": port, **more}]}


@pytest.mark.parametrize(
    ("target", "protocol", "spec", "port"),
    [
        pytest.param(8080, "TCP", {}, 8080, id="a number"),
        pytest.param(None, "TCP", {}, 80, id="none: the same"),
        pytest.param("http", "TCP", {"containers": [_container("a", 1), _container("b", 2)]}, 1, id="the first"),
        pytest.param("http", "UDP", {"containers": [_container("a", 1), _container("b", 2, protocol="UDP")]}, 2,
                     id="of the protocol"),
        pytest.param("http", "TCP", {"containers": [{"name": "a"}]}, None, id="no such port"),
        pytest.param("http", "TCP", {"initContainers": [_container("a", 1)]}, None, id="not of init containers"),
        pytest.param("http", "TCP", {"initContainers": [{**_container("a", 1), "restartPolicy": "Always"}]}, 1,
                     id="of a sidecar"),
    ],
)  # fmt: skip
def test_the_port_at_which_a_pod_answers(target: int | str | None, protocol: str, spec: Any, port: int | None) -> None:
    service = _service(ports=[{"port": 80, "targetPort": target, "protocol": protocol}])
    assert target_port(_pod(**spec), service.spec.ports[0]) == port


def test_a_hostname_counts_below_its_own_service() -> None:
    pod = _pod(hostname="first", subdomain="web")
    assert (hostname_of(pod, _service("web")), hostname_of(pod, _service("db"))) == ("first", "")


def test_who_is_published_by_controllers() -> None:
    selector = {"app": "web"}
    assert is_published(_service(selector=selector))
    assert not is_published(_service(selector=selector, type="ExternalName"))
    assert not is_published(_service(selector={}))


def test_the_trigger_time_is_that_of_the_earliest_change() -> None:
    times, service = TriggerTimes(), _service()
    early, late, later = (f"2026-01-01T01:00:0{n}Z" for n in (1, 2, 3))
    pods = [_pod("a", since=early)]
    assert times.since(service, pods) == parse_time("2026-01-01T00:00:00Z")
    assert times.since(service, pods) is None
    changed = [_pod("a", since=later), _pod("b", since=late), _pod("c")]
    assert times.since(service, changed) == parse_time(late)
    assert times.since(service, changed[:1]) is None
    times.forget(Key("ns", "web"))
    assert times.since(service, []) == parse_time("2026-01-01T00:00:00Z")
