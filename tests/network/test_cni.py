"""The CNI configuration, carried out by the real plugins on the bridge that the network made."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from pilothouse.network.plan import Plan, cni_configuration, plan, rules

pytestmark = pytest.mark.node
NODE, PODS = f"ph-cni-{os.getpid()}", (f"ph-cni-{os.getpid()}-a", f"ph-cni-{os.getpid()}-b")
DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
PLANNED = plan("cnitest", "10.244.9.0/24", "10.96.0.10")


@pytest.fixture
def node() -> Iterator[None]:
    names = (NODE, *PODS)
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        for command in ("link set lo up", f"link add {PLANNED.bridge} type bridge", f"link set {PLANNED.bridge} up",
                        f"addr add {PLANNED.gateway} dev {PLANNED.bridge}", f"addr add {PLANNED.dns} dev lo",
                        f"link set {PLANNED.bridge} type bridge nf_call_iptables 1"):  # fmt: skip
            run("ip", *command.split())
        run("nft", "-f", "-", script=rules(PLANNED, "10.244.0.0/16", bridged=True))
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=True)


def run(*line: str, script: str = "", where: str = NODE, **environment: str) -> str:
    done = subprocess.run(
        ["nsenter", f"--net=/run/netns/{where}", *line], input=script, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
    )  # fmt: skip
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def plug(verb: str, pod: str, planned: Plan, data: Path) -> str:
    """What the runtime does with the first plugin of the list."""
    whole = cni_configuration(planned, str(data))
    directory = next(str(d) for d in DIRECTORIES if (d / "bridge").exists())
    script = orjson.dumps({**whole["plugins"][0], "name": whole["name"], "cniVersion": whole["cniVersion"]}).decode()
    return run(
        f"{directory}/bridge", script=script, CNI_COMMAND=verb, CNI_CONTAINERID=pod, CNI_NETNS=f"/run/netns/{pod}",
        CNI_IFNAME="eth0", CNI_PATH=directory,
    )  # fmt: skip


def test_pods_get_addresses_and_reach_the_dns_address(node: None, tmp_path: Path) -> None:
    given = [orjson.loads(plug("ADD", pod, PLANNED, tmp_path))["ips"][0]["address"] for pod in PODS]
    assert given == ["10.244.9.2/24", "10.244.9.3/24"]
    assert "10.96.0.10 via 10.244.9.1" in run("ip", "route", "get", "10.96.0.10", where=PODS[0])
    echo = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('10.96.0.10', 53));"
        "print('on', flush=True); d, a = s.recvfrom(99); s.sendto(a[0].encode(), a)"
    )
    ask = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3);"
        "s.connect(('10.96.0.10', 53)); s.send(b'x'); print(s.recv(99).decode())"
    )
    command = ["nsenter", f"--net=/run/netns/{NODE}", sys.executable, "-c", echo]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "on\n"
        assert run(sys.executable, "-c", ask, where=PODS[1]) == "10.244.9.3\n"
    for pod in PODS:
        plug("DEL", pod, PLANNED, tmp_path)
