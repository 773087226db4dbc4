"""What went through the network interfaces that a process sees. proc(5), /proc/pid/net/dev."""

from dataclasses import dataclass
from pathlib import Path

_IGNORED = ("lo", "veth", "docker", "nerdctl")
"""As cAdvisor has it: of these nobody asks, and a node has hundreds."""


@dataclass(frozen=True, slots=True)
class InterfaceUsage:
    """One interface, since it was made."""

    name: str
    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_dropped: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_dropped: int


def interfaces(pid: int | str = "self", root: Path = Path("/")) -> tuple[InterfaceUsage, ...]:
    """Of a process; none when it is gone."""
    try:
        text = Path(root, "proc", str(pid), "net/dev").read_text()
    except OSError:
        return ()
    return parse(text)


def parse(text: str) -> tuple[InterfaceUsage, ...]:
    """Two lines of headings, then a line each."""
    found = []
    for line in text.splitlines()[2:]:
        name, _, figures = line.partition(":")
        name = name.strip()
        if not name.startswith(_IGNORED):
            at = [int(word) for word in figures.split()]
            found.append(InterfaceUsage(name, *at[0:4], *at[8:12]))
    return tuple(found)
