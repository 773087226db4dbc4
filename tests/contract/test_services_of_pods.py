"""sig-network: which pods a Service leads to, as Endpoints and as EndpointSlices say it."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract.api import Api, Items, Json, Objects
from contract.conformance import Checks, conformance
from contract.pods import START_SECONDS, pause_pod

SECONDS = 120
ADDRESS_SECONDS = 180
TRIALS, AT_ONCE = 200, 15
MEDIAN_SECONDS, TAIL_SECONDS = 20, 50
TRIALS_SECONDS = 600
INTEGER, NAMED = "example-int-port", "example-named-port"


@pytest.fixture
def services(api: Api, namespace: str) -> Objects:
    """Two: of one pod, by the number of a port; of both, by a port's name. Pods count though they are not ready."""
    found = api.objects("v1", "Service", namespace)
    for name, selector, port in (
        (INTEGER, "pod1", {"name": "example", "targetPort": 3000}),
        (NAMED, "shared12", {"name": "http", "targetPort": "example-name"}),
    ):
        ports = [{**port, "port": 80, "protocol": "TCP"}]
        spec = {"selector": {selector: "on"}, "publishNotReadyAddresses": True, "ports": ports}
        found.create({"metadata": {"name": name}, "spec": spec})
    return found


@pytest.fixture
def backends(api: Api, namespace: str) -> list[Json]:
    """Two pods, once they have addresses; the port of that name is another in each."""
    pods = api.objects("v1", "Pod", namespace)
    for name, ports in (("pod1", {"example-name": 3000}), ("pod2", {"example-name": 3001, "other-port": 3002})):
        body = pause_pod(name, labels={name: "on", "shared12": "on"})
        body["spec"]["containers"][0]["ports"] = [
            {"name": port, "containerPort": number} for port, number in ports.items()
        ]
        pods.create(body)

    def have_addresses(items: Items) -> bool:
        return all(items[name].get("status", {}).get("podIPs") for name in ("pod1", "pod2"))

    found = pods.until(have_addresses, ADDRESS_SECONDS)
    return [found["pod1"], found["pod2"]]


Reached = set[tuple[str, Any, Any, str | None, int | None]]
"""The address, what it refers to by kind and uid, and the port by name and number, of each that is led to."""


def _wanted(pods: Sequence[Json], ports: Sequence[tuple[str, int]]) -> Reached:
    """Each pod by its port."""
    return {
        (pod["status"]["podIP"], "Pod", (pod["metadata"]["namespace"], pod["metadata"]["name"], pod["metadata"]["uid"]),
         *port)
        for pod, port in zip(pods, ports, strict=True)
    }  # fmt: skip


def _reference(found: Json) -> tuple[Any, Any]:
    target = found["targetRef"]
    return target["kind"], (target["namespace"], target["name"], target["uid"])


def _of_endpoints(item: Json) -> Reached:
    return {
        (address["ip"], *_reference(address), port["name"], port["port"])
        for subset in item.get("subsets") or []
        for address in [*subset.get("addresses", []), *subset.get("notReadyAddresses", [])]
        for port in subset["ports"]
    }


def _of_slices(items: Items) -> Reached:
    return {
        (endpoint["addresses"][0], *_reference(endpoint), port["name"], port["port"])
        for item in items.values()
        for endpoint in item["endpoints"] or []
        for port in item["ports"]
    }


def _check(check: Checks, pods: Sequence[Json], found: Callable[[str, Reached], bool]) -> None:
    first, second = pods
    check("one", found(INTEGER, _wanted([first], [("example", 3000)])))
    check("named", found(NAMED, _wanted([first, second], [("http", 3000), ("http", 3001)])))


@conformance("EndpointsController should create Endpoints for Pods matching a Service")
def test_endpoints_of_pods(api: Api, namespace: str, services: Objects, backends: list[Json], check: Checks) -> None:
    endpoints = api.objects("v1", "Endpoints", namespace)

    def found(name: str, wanted: Reached) -> bool:
        """Whether there come to be just these, as many subsets as ports."""

        def reached(items: Items) -> bool:
            item = items.get(name, {})
            return _of_endpoints(item) == wanted and len(item["subsets"]) == len(wanted)

        return bool(endpoints.until(reached, SECONDS, field=f"metadata.name={name}"))

    _check(check, backends, found)


@conformance("EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service")
def test_slices_of_pods(api: Api, namespace: str, services: Objects, backends: list[Json], check: Checks) -> None:
    slices = api.objects("discovery.k8s.io/v1", "EndpointSlice", namespace)

    def found(name: str, wanted: Reached) -> bool:
        """Whether there come to be just these, as many slices as ports or more."""

        def reached(items: Items) -> bool:
            return _of_slices(items) == wanted and len(items) >= len(wanted)

        return bool(slices.until(reached, SECONDS, label=f"kubernetes.io/service-name={name}"))

    _check(check, backends, found)
    for name in slices.names(label=f"kubernetes.io/service-name={NAMED}"):
        slices.delete(name)
    check("again", found(NAMED, _wanted(backends, [("http", 3000), ("http", 3001)])))


@conformance("Service endpoints latency should not be very high")
def test_latency(api: Api, namespace: str, check: Checks) -> None:
    name = "svc-latency-rc"
    template = {"metadata": {"labels": {"name": name}}, "spec": pause_pod(name)["spec"]}
    controllers = api.objects("v1", "ReplicationController", namespace)
    controllers.create({"metadata": {"name": name}, "spec": {"replicas": 1, "template": template}})
    controllers.until(lambda items: items[name].get("status", {}).get("readyReplicas") == 1, START_SECONDS)
    check("running", True)
    services, endpoints = api.objects("v1", "Service", namespace), api.objects("v1", "Endpoints", namespace)
    seen: dict[str, float] = {}
    told = threading.Condition()

    def trial(_: int) -> float:
        """How long it took from the request for a Service until its Endpoints had an address."""
        spec = {"ports": [{"protocol": "TCP", "port": 80}], "selector": {"name": name}}
        begun = time.monotonic()
        made = services.create({"metadata": {"generateName": "latency-svc-"}, "spec": spec})["metadata"]["name"]
        with told:
            assert told.wait_for(lambda: made in seen, SECONDS)
        return seen[made] - begun

    with (
        ThreadPoolExecutor(AT_ONCE) as pool,
        endpoints.watch(since=endpoints.all()["metadata"]["resourceVersion"], seconds=TRIALS_SECONDS) as changes,
    ):
        trials = [pool.submit(trial, number) for number in range(TRIALS)]
        for event in changes:
            if any(subset.get("addresses") for subset in event["object"].get("subsets") or []):
                with told:
                    seen.setdefault(event["object"]["metadata"]["name"], time.monotonic())
                    told.notify_all()
            if len(seen) == TRIALS:
                break
    took = sorted(one.result() for one in trials if one.exception() is None)
    check("most", len(took) >= TRIALS * 0.95)
    check("median", took[len(took) * 50 // 100] <= MEDIAN_SECONDS)
    check("tail", took[len(took) * 99 // 100] <= TAIL_SECONDS)
