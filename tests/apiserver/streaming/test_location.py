from typing import Any

import pytest

from pilothouse.api.machinery.errors import BadRequest, Invalid, StatusError
from pilothouse.apiserver.request_info import RequestInfo, parse_request_info
from pilothouse.apiserver.streaming.location import (
    Kubelet,
    command_target,
    kubelet_of,
    log_target,
    port_forward_target,
    wanted_streams,
)
from pilothouse.net.remote_command import Wanted


def _pod(*containers: str, init: tuple[str, ...] = (), ephemeral: tuple[str, ...] = ()) -> dict[str, Any]:
    spec = {
        "nodeName": "node-1",
        "containers": [{"name": name} for name in containers],
        "initContainers": [{"name": name} for name in init],
        "ephemeralContainers": [{"name": name} for name in ephemeral],
    }
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def _info(part: str, query: str = "") -> RequestInfo:
    return parse_request_info("GET", f"/api/v1/namespaces/shop/pods/web/{part}?{query}")


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", "/containerLogs/shop/web/app"),
        ("follow=true&previous=false&timestamps=1", "/containerLogs/shop/web/app?follow=true&timestamps=true"),
        ("tailLines=0&limitBytes=9", "/containerLogs/shop/web/app?tailLines=0&limitBytes=9"),
        ("sinceSeconds=5", "/containerLogs/shop/web/app?sinceSeconds=5"),
        ("sinceTime=2026-01-02T03:04:05Z", "/containerLogs/shop/web/app?sinceTime=2026-01-02T03%3A04%3A05Z"),
        ("stream=All", "/containerLogs/shop/web/app"),
        ("stream=Stderr", "/containerLogs/shop/web/app?stream=Stderr"),
        ("container=first", "/containerLogs/shop/web/first"),
        ("container=debug", "/containerLogs/shop/web/debug"),
    ],
)
def test_where_a_log_is(query: str, target: str) -> None:
    assert log_target(_pod("app", init=("first",), ephemeral=("debug",)), _info("log", query)) == target


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z",
         "<nil>: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"),
        ("stream=stdin", 'stream: Unsupported value: "stdin": supported values: "All", "Stderr", "Stdout"'),
    ],
)  # fmt: skip
def test_wrong_log_options(query: str, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        log_target(_pod("app"), _info("log", query))
    assert caught.value.message == f'PodLogOptions "web" is invalid: {text}'


@pytest.mark.parametrize("query", ["tailLines=x", "sinceTime=yesterday"])
def test_unreadable_log_options(query: str) -> None:
    with pytest.raises(BadRequest):
        log_target(_pod("app"), _info("log", query))


@pytest.mark.parametrize(
    ("pod", "container", "text"),
    [
        (_pod(), "", "a container name must be specified for pod web"),
        (_pod("a", "b"), "", "a container name must be specified for pod web, choose one of: [a b]"),
        (
            _pod("a", "b", init=("c", "d")),
            "",
            "a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [c d]",
        ),
        (_pod("a"), "x", "container x is not valid for pod web"),
    ],
)
def test_which_container_is_meant(pod: dict[str, Any], container: str, text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        log_target(pod, _info("log", f"container={container}"))
    assert caught.value.message == text
    with pytest.raises(BadRequest) as caught:
        command_target(pod, "exec", {"container": container})
    assert caught.value.message == text


def test_where_a_command_runs() -> None:
    options = {"command": ["sh", "-c", "echo 1"], "stdin": True, "stdout": True, "stderr": False, "tty": True}
    expected = "?input=1&output=1&tty=1&command=sh&command=-c&command=echo+1"
    assert command_target(_pod("app"), "exec", options) == f"/exec/shop/web/app{expected}"
    assert command_target(_pod("app"), "attach", {"stdout": True}) == "/attach/shop/web/app?output=1"
    assert wanted_streams(options) == Wanted(stdin=True, stdout=True, stderr=False, tty=True)


@pytest.mark.parametrize(
    ("options", "target"),
    [({}, "/portForward/shop/web"), ({"ports": [80, 81, 82]}, "/portForward/shop/web?port=80%2C81%2C82")],
)
def test_where_ports_are_forwarded(options: dict[str, Any], target: str) -> None:
    assert port_forward_target(_pod("app"), options) == target


def test_a_pod_without_a_node_has_no_streams() -> None:
    pod = _pod("app")
    del pod["spec"]["nodeName"]
    why = "pod web does not have a host assigned"
    with pytest.raises(BadRequest, match=why):
        command_target(pod, "exec", {})
    with pytest.raises(BadRequest, match=why):
        port_forward_target(pod, {})


@pytest.mark.parametrize(
    ("addresses", "port", "expected"),
    [
        ([("Hostname", "n"), ("InternalIP", "10.0.0.1")], 10250, "10.0.0.1:10250"),
        ([("Hostname", "n"), ("ExternalIP", "1.2.3.4")], 4194, "1.2.3.4:4194"),
        ([("Hostname", "n")], None, "n:10250"),
        ([("InternalIP", "fd00::1")], None, "[fd00::1]:10250"),
    ],
)
def test_where_a_kubelet_listens(addresses: list[tuple[str, str]], port: int | None, expected: str) -> None:
    status: dict[str, Any] = {"addresses": [{"type": kind, "address": value} for kind, value in addresses]}
    if port is not None:
        status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": port}}
    assert kubelet_of({"status": status}).authority == expected


def test_a_node_without_addresses() -> None:
    with pytest.raises(StatusError, match="no preferred addresses found"):
        kubelet_of({"status": {"addresses": [{"type": "InternalDNS", "address": "x"}]}})
    assert Kubelet("h", 1).authority == "h:1"
