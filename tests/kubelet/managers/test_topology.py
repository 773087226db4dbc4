"""How processors lie to each other is read from /sys."""

from pathlib import Path

from kubelet.managers.machines import machine
from pilothouse.kubelet.managers.memory_nodes import NodeMemory
from pilothouse.kubelet.managers.topology import Cpu, Topology


def put(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / "sys/devices/system" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")


def test_a_machine_is_read(tmp_path: Path) -> None:
    put(tmp_path, {"cpu/online": "0-1,4-5", "node/node0/cpulist": "0,4", "node/node1/cpulist": "1,5,7"})
    put(tmp_path, {"node/node2/meminfo": "Node 2 MemTotal: 1024 kB", "node/node2/cpulist": ""})
    for cpu, (socket, threads) in {0: (0, "0,4"), 1: (1, "1,5"), 4: (0, "0,4"), 5: (1, "1,5")}.items():
        names = {"physical_package_id": str(socket), "thread_siblings_list": threads}
        put(tmp_path, {f"cpu/cpu{cpu}/topology/{name}": value for name, value in names.items()})
    found = Topology.read(tmp_path)
    assert found.cpus == (Cpu(0, 0, 0, 0), Cpu(1, 1, 1, 1, 1), Cpu(4, 0, 0, 0), Cpu(5, 1, 1, 1, 1))
    assert found.ids == {0, 1, 4, 5}
    assert (found.nodes, found.sockets, found.threads) == ((0, 1), 2, 2)
    assert (found.every_node, found.memory) == ((0, 1, 2), (NodeMemory(2, 2**20),))
    assert found.near([1]) == {1, 5}
    assert found.siblings([4]) == {0, 4}


def test_a_machine_without_nodes_and_socket_numbers_has_one_of_each(tmp_path: Path) -> None:
    put(tmp_path, {
        "cpu/online": "0", "cpu/cpu0/topology/physical_package_id": "-1", "cpu/cpu0/topology/thread_siblings_list": "0",
    })  # fmt: skip
    assert Topology.read(tmp_path).cpus == (Cpu(0, 0, 0, 0),)


def test_who_shares_the_last_cache_is_read(tmp_path: Path) -> None:
    """Without one, a socket does."""
    put(tmp_path, {"cpu/online": "0-3"})
    for cpu, shared in enumerate(("0-1", "0-1", "2-3", "")):
        put(tmp_path, {
            f"cpu/cpu{cpu}/topology/physical_package_id": "7", f"cpu/cpu{cpu}/topology/thread_siblings_list": str(cpu),
        })  # fmt: skip
        if shared:
            put(tmp_path, {f"cpu/cpu{cpu}/cache/index3/shared_cpu_list": shared})
    found = Topology.read(tmp_path)
    assert ([cpu.cache for cpu in found.cpus], found.caches) == ([0, 0, 2, 7], 3)


def test_nodes_lie_on_sockets_and_apart() -> None:
    found = Topology(machine(2, 4, nodes=4).cpus, (
        NodeMemory(0, 1, distances=(10, 12, 32, 30)), NodeMemory(1, 1, distances=(12, 10, 30, 32)),
        NodeMemory(2, 1, distances=(32, 30, 10, 12)), NodeMemory(5, 1, distances=(30,)),
    ))  # fmt: skip
    assert (found.sockets_of([0, 1]), found.sockets_of([1, 2])) == (frozenset({0}), frozenset({0, 1}))
    assert (found.on_sockets_of([1]), found.on_sockets_of([0, 3])) == (frozenset(range(4)), found.ids)
    assert [found.distance(frozenset(some)) for some in ({0}, {0, 1}, {0, 2}, {5}, set[int]())] == [
        10, 11, 21, 0, 0,
    ]  # fmt: skip


def test_this_machine_is_read() -> None:
    found = Topology.read()
    assert found.ids
    assert all(cpu.core in found.ids for cpu in found.cpus)


def test_made_up_machines_are_as_they_are_called() -> None:
    found = machine(2, 2, 2)
    assert found.cpus[5] == Cpu(5, 1, 0, 0)
    assert [cpu.node for cpu in machine(1, 4, nodes=2).cpus] == [0, 0, 1, 1]
    assert [cpu.cache for cpu in machine(1, 4, caches=2).cpus] == [0, 0, 1, 1]
