"""The rules, as golden files, and on the kernel: real nft, real connections, in namespaces of the test's own."""

import ctypes
import dataclasses
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pilothouse.network.plan import plan
from pilothouse.network.plan import rules as network_rules
from pilothouse.proxy.backends.nftables import render, table_name
from pilothouse.proxy.ruleset import Ruleset, change, remove, replace
from pilothouse.proxy.table import Destinations, Portal, ServiceTable, Target

GOLDEN = Path(__file__).parent / "golden"
PODS = "10.244.0.0/16"


def to(*addresses: str, local: bool = False, elsewhere: bool | None = None, port: int = 8080) -> Destinations:
    targets = tuple(Target(address, port) for address in addresses)
    return Destinations(targets, local, bool(addresses) if elsewhere is None else elsewhere)


def portal(name: str, inside: Destinations, outside: Destinations | None = None, **rest: object) -> Portal:
    given = {"protocol": "tcp", "port": 80, "cluster_ips": ("10.96.0.7",), "external_ips": (), "node_port": 0}
    return Portal(name, inside=inside, outside=outside or inside, **{**given, **rest})  # type: ignore[arg-type]


TABLES = {
    "empty": ServiceTable(),
    "plain": ServiceTable((portal("ns/web/tcp/http", to("10.244.0.2", "10.244.0.3")),)),
    "udp": ServiceTable((portal("ns/d/udp/", to("10.244.0.2", "10.244.0.3"), protocol="udp", port=53),)),
    "refused": ServiceTable((portal("ns/web/tcp/http", to(), node_port=30080),)),
    "local": ServiceTable((
        portal("ns/web/tcp/http", to("10.244.0.2"), to(local=True, elsewhere=True), node_port=30080),)),
    "outside": ServiceTable((
        portal("ns/web/tcp/http", to("10.244.0.2"), to("10.244.0.2", local=True), node_port=30080,
               external_ips=("192.0.2.1",), sources=("198.51.100.0/24",)),)),
    "affinity": ServiceTable((portal("ns/web/tcp/http", to("10.244.0.2", "10.244.0.3"), affinity=600),)),
}  # fmt: skip


def rules(name: str, cluster: str = "test") -> Ruleset:
    return render(TABLES[name], table_name(cluster), PODS)


@pytest.mark.parametrize("name", TABLES)
def test_golden(name: str) -> None:
    """To regenerate, delete the file and run twice; read the difference."""
    file = GOLDEN / f"{name}.nft"
    text = replace(rules(name))
    if not file.exists():
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text)
        pytest.fail(f"{file.name} was missing and has been written")
    assert text == file.read_text()


def test_change_touches_only_what_changed() -> None:
    one = portal("ns/a/tcp/", to("10.244.0.2"), cluster_ips=("10.96.0.8",))
    old = render(ServiceTable((one, *TABLES["plain"].portals)), "ip t", PODS)
    new = render(ServiceTable((one, portal("ns/web/tcp/http", to("10.244.0.2")))), "ip t", PODS)
    lines = change(old, new).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["add", "table"], ["flush", "chain"], ["delete", "element"], ["add", "rule"], ["add", "rule"]]  # fmt: skip
    assert change(new, new) == ""


class Machine:
    """A node (its bridge in the middle), two pods and a client outside, each in a network namespace."""

    def __init__(self, tag: str) -> None:
        self.node = f"ph-{tag}-node"
        self.names = {"node": self.node, "a": f"ph-{tag}-a", "b": f"ph-{tag}-b", "out": f"ph-{tag}-out"}

    def run(self, where: str, command: str, script: str = "") -> str:
        line = ["nsenter", f"--net=/run/netns/{self.names[where]}", *command.split()]
        done = subprocess.run(line, input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}\n{script}"
        return done.stdout

    def build(self) -> None:
        for name in self.names.values():
            subprocess.run(["ip", "netns", "add", name], check=True)
        for where in self.names:
            self.run(where, "ip link set lo up")
        self.run("node", "ip link add br0 type bridge")
        self.run("node", "ip addr add 10.244.0.1/24 dev br0")
        self.run("node", "ip link set br0 up")
        for where, address in (("a", "10.244.0.2/24"), ("b", "10.244.0.3/24")):
            self.run("node", f"ip link add to-{where} type veth peer name eth0 netns {self.names[where]}")
            self.run("node", f"ip link set to-{where} master br0 up")
            self.run("node", f"bridge link set dev to-{where} hairpin on")
            self.run(where, f"ip addr add {address} dev eth0")
            self.run(where, "ip link set eth0 up")
            self.run(where, "ip route add default via 10.244.0.1")
        self.run("node", "ip link set br0 type bridge nf_call_iptables 1")
        self.run("node", f"ip link add to-out type veth peer name eth0 netns {self.names['out']}")
        self.run("node", "ip addr add 192.0.2.1/24 dev to-out")
        self.run("node", "ip link set to-out up")
        self.run("node", "ip route add default via 192.0.2.2")
        self.run("out", "ip addr add 192.0.2.2/24 dev eth0")
        self.run("out", "ip link set eth0 up")
        self.run("node", "ip addr add 10.96.0.10/32 dev lo scope host")
        self.run("node", "sysctl -qw net.ipv4.ip_forward=1")

    def destroy(self) -> None:
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def apply(self, script: str) -> None:
        self.run("node", "nft -f -", script)

    @contextmanager
    def inside(self, where: str) -> Iterator[None]:
        """Sockets made in the block, by this thread, belong to the namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.names[where]}", os.O_RDONLY)
        try:
            assert libc.setns(there, 0) == 0
            yield
        finally:
            assert libc.setns(own, 0) == 0
            os.close(own)
            os.close(there)

    @contextmanager
    def listening(self, *pods: str) -> Iterator[None]:
        """Each pod says its name, and the address it sees, to whoever connects to port 8080."""
        sockets = []
        for pod in pods:
            with self.inside(pod):
                sock = socket.create_server(("", 8080))
            sockets.append(sock)
            threading.Thread(target=_answer, args=(sock, pod), daemon=True).start()
        try:
            yield
        finally:
            for sock in sockets:
                sock.shutdown(socket.SHUT_RDWR)
                sock.close()

    def ask(self, where: str, host: str, port: int) -> tuple[str, str]:
        with self.inside(where):
            sock = socket.socket()
        with sock:
            sock.settimeout(2)
            sock.connect((host, port))
            name, seen = sock.recv(100).decode().split()
            return name, seen


def _answer(sock: socket.socket, name: str) -> None:
    while True:
        try:
            connection, address = sock.accept()
        except OSError:
            return
        connection.sendall(f"{name} {address[0]}".encode())
        connection.close()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    made = Machine(str(os.getpid()))
    try:
        made.build()
        yield made
    finally:
        made.destroy()


@pytest.mark.node
def test_kernel_takes_every_ruleset_and_every_change(machine: Machine) -> None:
    for before in TABLES:
        machine.apply(replace(rules(before)))
        for after in TABLES:
            machine.apply(change(rules(before), rules(after)))
            machine.apply(change(rules(after), rules(before)))
    machine.apply(remove(table_name("test")))
    assert "pilothouse" not in machine.run("node", "nft list tables")


@pytest.mark.node
def test_traffic(machine: Machine) -> None:
    both = portal("ns/web/tcp/http", to("10.244.0.2", "10.244.0.3"), node_port=30080)
    alone = portal("ns/one/tcp/", to("10.244.0.2"), cluster_ips=("10.96.0.8",))
    none = portal("ns/none/tcp/", to(), cluster_ips=("10.96.0.9",), node_port=30081)
    host = portal("ns/host/tcp/", to("192.0.2.1"), cluster_ips=("10.96.0.1",), port=443)
    machine.apply(replace(render(ServiceTable((both, alone, none, host)), table_name("test"), PODS)))
    with machine.listening("a", "b", "node"):
        assert machine.ask("a", "10.96.0.1", 443) == ("node", "10.244.0.2")
        assert machine.ask("node", "10.96.0.1", 443)[0] == "node"
        for where in ("a", "b", "node"):
            assert {machine.ask(where, "10.96.0.7", 80)[0] for _ in range(24)} == {"a", "b"}
        assert machine.ask("b", "10.96.0.8", 80) == ("a", "10.244.0.3")
        assert machine.ask("a", "10.96.0.8", 80)[0] == "a"
        assert {machine.ask("out", "192.0.2.1", 30080)[0] for _ in range(24)} == {"a", "b"}
        for where in ("a", "node"):
            for place in (("10.96.0.9", 80), ("10.96.0.7", 81)):
                with pytest.raises(ConnectionRefusedError):
                    machine.ask(where, *place)
        with pytest.raises(ConnectionRefusedError):
            machine.ask("out", "192.0.2.1", 30081)
    machine.apply(remove(table_name("test")))


@pytest.mark.node
def test_affinity(machine: Machine) -> None:
    one = portal("ns/web/tcp/http", to("10.244.0.2", "10.244.0.3"), affinity=60)
    machine.apply(replace(render(ServiceTable((one,)), table_name("test"), PODS)))
    with machine.listening("a", "b"):
        assert len({machine.ask("node", "10.96.0.7", 80)[0] for _ in range(12)}) == 1
    machine.apply(remove(table_name("test")))


@pytest.mark.node
def test_source_of_a_local_node_port_is_kept(machine: Machine) -> None:
    one = portal("ns/web/tcp/http", to("10.244.0.2"), to("10.244.0.2", local=True), node_port=30080)
    machine.apply(replace(render(ServiceTable((one,)), table_name("test"), PODS)))
    with machine.listening("a"):
        assert machine.ask("out", "192.0.2.1", 30080) == ("a", "192.0.2.2")
    machine.apply(remove(table_name("test")))


@pytest.mark.node
def test_pods_of_one_node_where_bridged_packets_pass_no_rules(machine: Machine) -> None:
    planned = dataclasses.replace(plan("test", "10.244.0.0/24", ""), bridge="br0")
    one = portal("ns/one/tcp/", to("10.244.0.2"))
    machine.run("node", "ip link set br0 type bridge nf_call_iptables 0")
    machine.run("node", "sysctl -qw net.bridge.bridge-nf-call-iptables=0")
    machine.apply(replace(render(ServiceTable((one,)), table_name("test"), PODS)))
    machine.apply(network_rules(planned, PODS, bridged=False))
    try:
        with machine.listening("a"):
            assert machine.ask("b", "10.96.0.7", 80) == ("a", "10.244.0.1")
            assert machine.ask("b", "10.244.0.2", 8080) == ("a", "10.244.0.3")
    finally:
        machine.run("node", "sysctl -qw net.bridge.bridge-nf-call-iptables=1")
        machine.run("node", "ip link set br0 type bridge nf_call_iptables 1")
        machine.apply(remove(table_name("test")) + remove(planned.table))
