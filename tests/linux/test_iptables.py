"""Rules of iptables, in a network namespace of the test's own."""

import ctypes
import os
import shlex
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pilothouse.linux.iptables import Iptables, IptablesError

NAME = f"ph-iptables-{os.getpid()}"
RULE = "FORWARD -s 10.244.0.0/24 -m comment --comment ph-x -j ACCEPT"


@pytest.mark.node
def test_rules_come_first_once_and_go() -> None:
    def scenario() -> None:
        iptables = Iptables()
        assert not iptables.drops_forwarded()
        subprocess.run(["iptables", "-P", "FORWARD", "DROP"], check=True)
        assert iptables.drops_forwarded()
        subprocess.run(["iptables", "-A", "FORWARD", "-j", "DROP"], check=True)
        for _ in range(2):
            iptables.ensure_first(RULE)
        shown = subprocess.run(["iptables", "-S", "FORWARD"], check=True, capture_output=True, text=True).stdout
        assert shown.splitlines()[1:] == [f"-A {RULE}", "-A FORWARD -j DROP"]
        for _ in range(2):
            iptables.remove(RULE)
        assert not subprocess.run(["iptables", "-C", "FORWARD", "-j", "DROP"], check=False).returncode
        with pytest.raises(IptablesError):
            iptables.ensure_first("NOWHERE -j ACCEPT")

    inside(scenario)


@pytest.mark.node
def test_idle_chains_go_and_those_in_use_stay() -> None:
    def iptables(words: str) -> str:
        return subprocess.run(
            ["iptables", "-t", "nat", *shlex.split(words)], check=True, capture_output=True, text=True
        ).stdout

    def scenario() -> None:
        empty = iptables("-S")
        for line in (
            "-N GATE", "-N MARK-IT", "-A PREROUTING -m addrtype --dst-type LOCAL -j GATE",
            "-A POSTROUTING -m comment --comment 'two words' -j MARK-IT", "-A MARK-IT -j MARK --set-xmark 0x1/0x1",
            "-A GATE -p tcp --dport 80 -j MARK-IT",
        ):  # fmt: skip
            iptables(line)
        busy = iptables("-S")
        Iptables().remove_idle(["GATE", "MARK-IT"])
        assert iptables("-S") == busy
        iptables("-D GATE 1")
        for _ in range(2):
            Iptables().remove_idle(["GATE", "MARK-IT"])
            assert iptables("-S") == empty

    inside(scenario)


def inside(scenario: Callable[[], None]) -> None:
    """Play a scenario in a network namespace of its own."""

    def enter() -> None:
        there = os.open(f"/run/netns/{NAME}", os.O_RDONLY)
        assert ctypes.CDLL(None).setns(there, 0) == 0
        os.close(there)

    subprocess.run(["ip", "netns", "add", NAME], check=True)
    try:
        with ThreadPoolExecutor(1, initializer=enter) as pool:
            pool.submit(scenario).result()
    finally:
        subprocess.run(["ip", "netns", "del", NAME], check=True)
