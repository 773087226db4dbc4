"""An API server on an empty store: from the start of its process to the open door, and what it holds then.

In a cluster it is cheaper: the supervisor has imported what all roles share (see cluster.py).
"""

from measuring.server import serving
from measuring.table import fact, heading, line

ROUNDS = 5


def main() -> None:
    heading("Empty server")
    found = []
    for _ in range(ROUNDS):
        with serving() as begun:
            found.append((begun.seconds, begun.cpu, begun.memory))
    line("ready, by the clock", min(seconds for seconds, _, _ in found), "0.8 s", "3.3–4.0 s")
    line("ready, by its CPU", min(cpu for _, cpu, _ in found))
    fact("memory, alone", f"{min(memory for _, _, memory in found):.0f} MiB", "75 MB", "325 MB")


if __name__ == "__main__":
    main()
