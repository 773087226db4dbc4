"""One node whole: network, proxy and DNS in a namespace, pods plugged in by the real CNI plugins, a name resolved from
one pod and the service behind it reached."""

import asyncio
import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from fakes.api import FakeApi
from pilothouse.dns.main import DnsConfig
from pilothouse.dns.main import run as run_dns
from pilothouse.dns.manifests import manifests
from pilothouse.network.main import NetworkConfig, Trace, remove
from pilothouse.network.main import run as run_network
from pilothouse.proxy.main import ProxyConfig, cleanup
from pilothouse.proxy.main import run as run_proxy
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks

pytestmark = pytest.mark.node
NODE = f"ph-path-{os.getpid()}"
PODS = (f"{NODE}-a", f"{NODE}-b")
DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
SERVE = """
import socket
with socket.create_server(("", 8080)) as server:
    print("on", flush=True)
    while True:
        connection, address = server.accept()
        connection.sendall(address[0].encode())
        connection.close()
"""
ASK = """
import dnslib, socket, sys
answer = dnslib.DNSRecord.parse(dnslib.DNSRecord.question("web.ns.svc.cluster.local").send("10.96.0.10", timeout=5))
with socket.create_connection((str(answer.short()), 80), timeout=5) as connection:
    print(answer.short(), connection.recv(99).decode())
"""


@pytest.fixture
def inside() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Calls what it is given in the namespace of the node: threads and processes started there stay there."""

    def enter() -> None:
        there = os.open(f"/run/netns/{NODE}", os.O_RDONLY)
        assert ctypes.CDLL(None).setns(there, 0) == 0
        os.close(there)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    for name in (NODE, *PODS):
        subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        with ThreadPoolExecutor(1, initializer=enter) as pool:
            yield lambda what: pool.submit(what).result()
    finally:
        for name in (NODE, *PODS):
            subprocess.run(["ip", "netns", "del", name], check=True)


def plug(pod: str, configuration: dict[str, Any]) -> str:
    """What the runtime does with each plugin of the list; returns the pod's address."""
    directory = next(str(d) for d in DIRECTORIES if (d / "bridge").exists())
    given = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": pod, "CNI_NETNS": f"/run/netns/{pod}", "CNI_IFNAME": "eth0",
             "CNI_PATH": directory, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}  # fmt: skip
    whole = {**configuration["plugins"][0], "name": configuration["name"], "cniVersion": configuration["cniVersion"]}
    done = subprocess.run(
        [f"{directory}/bridge"], input=orjson.dumps(whole), capture_output=True, env=given, check=True
    )
    return str(orjson.loads(done.stdout)["ips"][0]["address"]).partition("/")[0]


def in_pod(pod: str, code: str) -> list[str]:
    return ["nsenter", f"--net=/run/netns/{pod}", sys.executable, "-c", code]


def populated(clock: SystemClock) -> FakeApi:
    api = FakeApi(clock)
    api.add("v1", "Node", {"metadata": {"name": "n1"}, "spec": {"podCIDR": "10.244.0.0/24"}})
    for manifest in manifests("10.96.0.10"):
        api.add(manifest["apiVersion"], manifest["kind"], manifest)
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    spec = {"clusterIP": "10.96.0.7", "ports": ports}
    api.add("v1", "Service", {"metadata": {"name": "web", "namespace": "ns"}, "spec": spec})
    return api


def publish(api: FakeApi, address: str) -> None:
    meta = {"name": "web-1", "namespace": "ns", "labels": {"kubernetes.io/service-name": "web"}}
    endpoints = [{"addresses": [address], "conditions": {"ready": True}, "nodeName": "n1"}]
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    body = {"metadata": meta, "addressType": "IPv4", "endpoints": endpoints, "ports": ports}
    api.add("discovery.k8s.io/v1", "EndpointSlice", body)


async def ask(pod: str) -> subprocess.CompletedProcess[str]:
    """Resolve the service's name in a pod, and connect to what comes out."""
    return await asyncio.to_thread(
        lambda: subprocess.run(in_pod(pod, ASK), text=True, capture_output=True, check=False)
    )


@contextmanager
def serving(pod: str) -> Iterator[None]:
    """A server in a pod, which tells its clients their address."""
    with subprocess.Popen(in_pod(pod, SERVE), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "on\n"
            yield
        finally:
            server.kill()


async def scenario(home: Path) -> None:
    clock, chance = SystemClock(), Chance(1)
    api = populated(clock)
    client = api.client()
    traces: list[Trace] = []
    network = NetworkConfig("n1", "path", home / "cni", home / "addresses", traces.append)
    runs = (partial(run_dns, DnsConfig()), partial(run_network, network), partial(run_proxy, ProxyConfig("n1", "path")))
    async with Tasks() as tasks:
        for number, run in enumerate(runs):
            ready = asyncio.Event()
            tasks.spawn(run(client, clock, chance, ready.set), name=str(number))
            await ready.wait()
        configuration = orjson.loads((home / "cni" / "10-pilothouse.conflist").read_bytes())
        addresses = [plug(pod, configuration) for pod in PODS]
        with serving(PODS[0]):
            assert "ConnectionRefusedError" in (await ask(PODS[1])).stderr
            publish(api, addresses[0])
            async with clock.timeout(10):
                while (answered := await ask(PODS[1])).returncode:
                    continue
            assert answered.stdout == f"10.96.0.7 {addresses[1]}\n"
            assert (await ask(PODS[0])).stdout.startswith("10.96.0.7 ")
    await cleanup("path")
    await remove(traces)


def tables() -> str:
    return subprocess.run(["nft", "list", "tables"], text=True, capture_output=True, check=True).stdout


def test_from_a_name_to_an_answer(inside: Callable[[Callable[[], None]], None], tmp_path: Path) -> None:
    def whole() -> None:
        asyncio.run(scenario(tmp_path))
        assert "pilothouse" not in tables()

    inside(whole)
