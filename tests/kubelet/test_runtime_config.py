"""Configurations of sandboxes and containers for the runtime, as upstream's kuberuntime generates them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubelet.observing import containers, pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.containers import shape
from pilothouse.kubelet.cri.interface import Image
from pilothouse.kubelet.cri.messages import enum_value
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.names_and_dns import Resolver
from pilothouse.kubelet.resources.swap import SwapFacts
from pilothouse.kubelet.runtime_config import Mount, NodeFacts, container_config, expand, grace_period, sandbox_config
from pilothouse.kubelet.security_policy import SecurityPolicy

FACTS = NodeFacts(Layout(Path("/kubelet"), Path("/logs")), "cluster.local", 8 << 30)
RESOLVER = Resolver(("10.96.0.10",), ("cluster.local",), ("ndots:5",))
IMAGE = Image("sha256:1", uid=0)


def sandbox(**spec: Any) -> JsonObject:
    return sandbox_config(pod(**spec), 2, "/kubepods/poduid-web", RESOLVER, FACTS)


def made(own: JsonObject | None = None, facts: NodeFacts = FACTS, **spec: Any) -> JsonObject:
    one = pod(containers=containers("app", **(own or {})), **spec)
    mounts = [Mount("/data", "/host/data", True, "Bidirectional"), Mount("/x", "/host/x")]
    environment = [("A", "1"), ("B", "two words")]
    return container_config(one, one.spec.containers[0], 3, IMAGE, environment, mounts, facts)


def test_a_sandbox() -> None:
    found = sandbox(metadata={"labels": {"app": "x"}, "annotations": {"n": "v"}})
    assert found["metadata"] == {"name": "web", "namespace": "default", "uid": "uid-web", "attempt": 2}
    assert found["hostname"] == "web"
    assert found["log_directory"] == "/logs/default_web_uid-web"
    assert found["dns_config"] == {
        "servers": ["10.96.0.10"], "searches": ["cluster.local"], "options": ["ndots:5"],
    }  # fmt: skip
    assert found["labels"] == {
        "app": "x", "io.kubernetes.pod.name": "web", "io.kubernetes.pod.namespace": "default",
        "io.kubernetes.pod.uid": "uid-web",
    }  # fmt: skip
    assert found["annotations"] == {"n": "v"}
    assert found["linux"]["cgroup_parent"] == "/kubepods/poduid-web"
    assert "port_mappings" not in found
    assert "overhead" not in found["linux"]


@pytest.mark.parametrize(("name", "expected"), [
    ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
    ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
    ("net/ipv4/conf/eth0.1/forwarding", "net.ipv4.conf.eth0/1.forwarding"),
    ("net.ipv4.conf.eth0/1.forwarding", "net.ipv4.conf.eth0/1.forwarding"),
])  # fmt: skip
def test_sysctls_have_dots(name: str, expected: str) -> None:
    found = sandbox(securityContext={"sysctls": [{"name": name, "value": "1"}]})
    assert found["linux"]["sysctls"] == {expected: "1"}


def test_ports_of_the_host_and_no_name_of_its_own_on_the_hosts_network() -> None:
    ports = [{"containerPort": 80, "hostPort": 8080, "hostIP": "127.0.0.1", "protocol": "UDP"}, {"containerPort": 81}]
    found = sandbox(containers=containers("app", ports=ports))
    assert found["port_mappings"] == [
        {"protocol": 1, "container_port": 80, "host_port": 8080, "host_ip": "127.0.0.1"}
    ]  # fmt: skip
    shared = sandbox(containers=containers("app", ports=ports), hostNetwork=True)
    assert "port_mappings" not in shared
    assert shared["hostname"] == ""


def test_a_sandbox_has_the_pods_resources_and_its_own_overhead() -> None:
    limits = {"limits": {"cpu": "1", "memory": "1Gi"}}
    found = sandbox(containers=containers("app", resources=limits), overhead={"cpu": "1", "memory": "1Gi"})["linux"]
    assert found["resources"] == {
        "cpu_shares": 2048, "cpu_quota": 200_000, "cpu_period": 100_000, "memory_limit_in_bytes": 2 << 30,
    }  # fmt: skip
    assert found["overhead"]["memory_limit_in_bytes"] == 1 << 30


def test_a_container() -> None:
    found = made({"command": ["run", "$(A)"], "args": ["$(B)", "$(C)"], "workingDir": "/w", "stdin": True, "tty": True})
    assert found["metadata"] == {"name": "app", "attempt": 3}
    assert found["image"] == {"image": "sha256:1", "user_specified_image": "app:1"}
    assert (found["command"], found["args"]) == (["run", "1"], ["two words", "$(C)"])
    assert found["envs"] == [{"key": "A", "value": "1"}, {"key": "B", "value": "two words"}]
    assert found["mounts"] == [
        {"container_path": "/data", "host_path": "/host/data", "readonly": True, "propagation": 2},
        {"container_path": "/x", "host_path": "/host/x", "readonly": False, "propagation": 0},
    ]
    assert (found["working_dir"], found["log_path"]) == ("/w", "app/3.log")
    assert (found["stdin"], found["stdin_once"], found["tty"]) == (True, False, True)
    assert found["labels"]["io.kubernetes.container.name"] == "app"
    one = pod(containers=containers("app")).spec.containers[0]
    assert found["annotations"] == {
        "io.kubernetes.container.hash": shape(one),
        "io.kubernetes.container.restartCount": "3",
        "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
        "io.kubernetes.container.terminationMessagePolicy": "",
        "io.kubernetes.pod.terminationGracePeriod": "30",
    }
    assert "stop_signal" not in found


def test_its_resources() -> None:
    asked = {"requests": {"cpu": "100m", "memory": "4Gi"}, "limits": {"cpu": "1", "hugepages-2Mi": "4Mi"}}
    facts = NodeFacts(FACTS.layout, "", 8 << 30, cgroup_v2=True, page_sizes=(2 << 20, 1 << 30))
    assert made({"resources": asked}, facts)["linux"]["resources"] == {
        "cpu_shares": 102, "cpu_quota": 100_000, "cpu_period": 100_000, "memory_limit_in_bytes": 0,
        "oom_score_adj": 500, "unified": {"memory.oom.group": "1"},
        "hugepage_limits": [{"page_size": "2MB", "limit": 4 << 20}, {"page_size": "1GB", "limit": 0}],
    }  # fmt: skip
    assert not {"unified", "hugepage_limits"} & set(made()["linux"]["resources"])


def test_swap() -> None:
    v2 = replace(FACTS, cgroup_v2=True, swap=SwapFacts(counted=True, v2=True))
    assert made(facts=v2)["linux"]["resources"]["unified"] == {"memory.oom.group": "1", "memory.swap.max": "0"}
    resources = made({"resources": {"limits": {"memory": "1Gi"}}}, facts=replace(FACTS, swap=SwapFacts(counted=True)))
    assert resources["linux"]["resources"]["memory_swap_limit_in_bytes"] == 1 << 30


def test_a_signal_to_stop_by() -> None:
    assert made({"lifecycle": {"stopSignal": "SIGUSR1"}})["stop_signal"] == enum_value("Signal", "SIGUSR1")
    assert made({"lifecycle": {"stopSignal": "SIGRTMIN+3"}})["stop_signal"] == enum_value("Signal", "SIGRTMINPLUS3")
    assert "stop_signal" not in made({"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}})


@pytest.mark.parametrize(("given", "expected"), [(None, 30), (0, 0), (5, 5)])
def test_grace(given: int | None, expected: int) -> None:
    assert grace_period(pod(terminationGracePeriodSeconds=given)) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("$(A)", "1"), ("$(A)$(B)", "12"), ("x$(A)y", "x1y"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$$$$(A)", "$$(A)"),
    ("$(NONE)", "$(NONE)"), ("$(A", "$(A"), ("$", "$"), ("a$", "a$"), ("$A", "$A"), ("$)", "$)"), ("$()", "$()"),
    ("$(A)(B)", "1(B)"), ("$(B$(A))", "$(B$(A))"), ("", ""),
])  # fmt: skip
def test_references_to_variables(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expected


def test_containers_without_a_word_of_seccomp_run_as_the_owner_says() -> None:
    facts = replace(FACTS, policy=SecurityPolicy(seccomp_default=True))
    assert made(facts=facts)["linux"]["security_context"]["seccomp"] == {"profile_type": 0}
    assert made()["linux"]["security_context"]["seccomp"] == {"profile_type": 1}
