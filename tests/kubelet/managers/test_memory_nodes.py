"""Which memory lies where is read from /sys."""

from pathlib import Path

from pilothouse.kubelet.managers.memory_nodes import NodeMemory, read_nodes

NODES = "sys/devices/system/node"


def put(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")


def test_nodes_are_read(tmp_path: Path) -> None:
    put(tmp_path, {
        f"{NODES}/node10/meminfo": "Node 10 MemTotal:       512 kB\nNode 10 HugePages_Total:     0",
        f"{NODES}/node0/meminfo": "Node 0 MemTotal:       1024 kB\nNode 0 MemFree:          4 kB",
        f"{NODES}/node0/distance": "10 21",
        f"{NODES}/node0/hugepages/hugepages-2048kB/nr_hugepages": "3",
        f"{NODES}/node0/hugepages/hugepages-1048576kB/nr_hugepages": "0",
        f"{NODES}/node1/cpulist": "",  # nothing is known of its memory
    })  # fmt: skip
    first = NodeMemory(0, 2**20, {2**21: 3, 2**30: 0}, (10, 21))
    assert read_nodes(tmp_path) == (first, NodeMemory(10, 2**19))


def test_a_machine_without_nodes_is_one(tmp_path: Path) -> None:
    assert read_nodes(tmp_path) == ()
    put(tmp_path, {
        "proc/meminfo": "MemTotal:        2048 kB\nMemFree:          4 kB",
        "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "1",
    })  # fmt: skip
    assert read_nodes(tmp_path) == (NodeMemory(0, 2**21, {2**21: 1}),)


def test_this_machine_is_read() -> None:
    assert all(one.size for one in read_nodes())
