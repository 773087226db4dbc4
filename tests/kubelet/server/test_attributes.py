"""Which permission each path needs (auth_test.go of pkg/kubelet/server)."""

import pytest

from pilothouse.kubelet.server.attributes import attributes_of


@pytest.mark.parametrize(
    ("path", "subresources"),
    [
        ("/attach/ns/pod/app", ["proxy"]),
        ("/attach/ns/pod/uid/app", ["proxy"]),
        ("/containerLogs/ns/pod/app", ["proxy"]),
        ("/exec/ns/pod/app", ["proxy"]),
        ("/run/ns/pod/app", ["proxy"]),
        ("/portForward/ns/pod", ["proxy"]),
        ("/debug/pprof/heap", ["proxy"]),
        ("/", ["proxy"]),
        ("/checkpoint/ns/pod/app", ["checkpoint"]),
        ("/configz", ["configz", "proxy"]),
        ("/flagz", ["configz"]),
        ("/statusz", ["statusz"]),
        ("/healthz", ["healthz", "proxy"]),
        ("/healthz/syncloop", ["healthz", "proxy"]),
        ("/healthzz", ["proxy"]),
        ("/logs/", ["log"]),
        ("/logs/messages", ["log"]),
        ("/metrics", ["metrics"]),
        ("/metrics/cadvisor", ["metrics"]),
        ("/pods", ["pods", "proxy"]),
        ("/pods/", ["pods", "proxy"]),
        ("/podsecrets", ["proxy"]),
        ("/runningpods/", ["pods", "proxy"]),
        ("/stats/summary", ["stats"]),
    ],
)
def test_paths_need_subresources_of_the_node(path: str, subresources: list[str]) -> None:
    found = attributes_of("GET", path)
    assert (found.verb, found.resource, list(found.subresources)) == ("get", "nodes", subresources)


@pytest.mark.parametrize(
    ("method", "verb"),
    [("POST", "create"), ("PUT", "update"), ("PATCH", "patch"), ("DELETE", "delete"), ("HEAD", ""), ("OPTIONS", "")],
)
def test_methods_are_verbs(method: str, verb: str) -> None:
    assert attributes_of(method, "/pods").verb == verb
