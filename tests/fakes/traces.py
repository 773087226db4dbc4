"""Traces: all that a cluster might leave on a machine, to be compared before and after."""

import os
import re
import subprocess
from pathlib import Path

_PLACES = ("/etc", "/run", "/var/lib", "/var/log", "/var/cache", "/opt", "/usr/local", "/srv", "/dev/shm")
_PASSING = re.compile(r"/var/lib/(?:apt|dpkg)|/run/(?:lock|user|utmp)|/var/log/|/var/cache/|/dev/shm/etcd-")
"""What other programs of the machine write meanwhile, and stores of other tests."""


def snapshot(home: Path) -> dict[str, frozenset[str]]:
    """What there is outside `home`, by sort."""
    return {
        "mounts": _lines(Path("/proc/self/mountinfo").read_text(), r"^\S+ \S+ \S+ \S+ (\S+) .*- (\S+)"),
        "network namespaces": _below(Path("/run/netns")),
        "links": _lines(_output("ip", "-o", "link"), r"^\d+: ([^:@]+)"),
        "addresses": _lines(_output("ip", "-o", "address"), r"^\d+: (\S+)\s+(inet6? \S+)"),
        "routes": _lines(_output("ip", "route", "show", "table", "all"), r"^(.*\S)"),
        "rules": _lines(_output("ip", "rule"), r"^(.*\S)"),
        "nftables": _lines(_output("nft", "-s", "list", "ruleset"), r"^\s*(\S.*)$"),
        "iptables": _lines(_output("iptables-save"), r"^([^#:\n].*|:\S+)"),
        "cgroups": _groups(),
        "settings": frozenset([Path("/proc/sys/net/ipv4/ip_forward").read_text()]),
        "files": frozenset(path for place in _PLACES for path in _below(Path(place)) if not path.startswith(str(home))),
        "processes": _processes(home),
    }


def differences(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]]) -> dict[str, list[str]]:
    """What is new and what is gone, by sort; empty when all is as it was."""
    found = {name: sorted([f"+ {each}" for each in after[name] - before[name]] +
                          [f"- {each}" for each in before[name] - after[name]]) for name in before}  # fmt: skip
    return {name: lines for name, lines in found.items() if lines}


def _lines(text: str, pattern: str) -> frozenset[str]:
    return frozenset(" ".join(found.groups()) for found in re.finditer(pattern, text, re.MULTILINE))


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _below(place: Path) -> frozenset[str]:
    found = []
    for directory, names, files in os.walk(place):
        found += [f"{directory}/{name}" for name in (*names, *files)]
    return frozenset(each for each in found if not _PASSING.match(each))


def _groups() -> frozenset[str]:
    """The uppermost groups of every hierarchy: what is of a cluster lies in one of its own. Others live meanwhile."""
    top = Path("/sys/fs/cgroup")
    return frozenset(str(found) for depth in ("*/", "*/*/") for found in top.glob(depth))


def _processes(home: Path) -> frozenset[str]:
    """Those whose command line names the home."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(home) in line and int(entry.name) != os.getpid():
            found.append(line)
    return frozenset(found)
