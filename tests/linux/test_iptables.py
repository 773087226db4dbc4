"""Rules of iptables, in a network namespace of the test's own."""

import ctypes
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from pilothouse.linux.iptables import Iptables, IptablesError

NAME = f"ph-iptables-{os.getpid()}"
RULE = "FORWARD -s 10.244.0.0/24 -m comment --comment ph-x -j ACCEPT"


@pytest.mark.node
def test_rules_come_first_once_and_go() -> None:
    def enter() -> None:
        there = os.open(f"/run/netns/{NAME}", os.O_RDONLY)
        assert ctypes.CDLL(None).setns(there, 0) == 0
        os.close(there)

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

    subprocess.run(["ip", "netns", "add", NAME], check=True)
    try:
        with ThreadPoolExecutor(1, initializer=enter) as pool:
            pool.submit(scenario).result()
    finally:
        subprocess.run(["ip", "netns", "del", NAME], check=True)
