"""What files of the kernel and the system say of a machine."""

from pathlib import Path

from pilothouse.kubelet.machine import Disk, Machine, Processes, memory_sizes, pretty_name


def test_sizes_of_memory_are_bytes() -> None:
    text = "MemTotal:       24689492 kB\nMemAvailable:   20000000 kB\nHugePages_Total:       0\n"
    assert memory_sizes(text) == {"MemTotal": 24689492 * 1024, "MemAvailable": 20000000 * 1024}


def test_the_name_of_the_system_is_read_with_and_without_quotes() -> None:
    assert pretty_name('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n') == "Debian GNU/Linux 12 (bookworm)"
    assert pretty_name("PRETTY_NAME=Alpine\n") == "Alpine"
    assert pretty_name("ID=x\n") == ""


def test_a_machine_is_read_from_its_files(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": "MemTotal: 1024 kB\nSwapTotal: 8 kB\n",
        "proc/sys/kernel/random/boot_id": "b00t\n",
        "var/lib/dbus/machine-id": "mach\n",
        "sys/class/dmi/id/product_uuid": "uuid\n",
        "etc/os-release": "PRETTY_NAME=Small\n",
        "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "3\n",
        "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages": "0\n",
        "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "0\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = Machine.read(tmp_path)
    assert (found.memory, found.machine_id, found.system_uuid, found.boot_id) == (1 << 20, "mach", "uuid", "b00t")
    assert (found.os_image, found.swap) == ("Small", 8192)
    assert found.hugepages == {2 << 20: 3, 1 << 30: 0}
    assert found.hot_paths == ("/sys/devices/system/cpu/cpu0/thermal_throttle",)


def test_processes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/pid_max").write_text("32768\n")
    (tmp_path / "proc/sys/kernel/threads-max").write_text("20000\n")
    (tmp_path / "proc/loadavg").write_text("0.50 0.73 1.00 2/345 9999\n")
    assert Processes.read(tmp_path) == Processes(20_000, 345)


def test_this_machine_can_be_read() -> None:
    found = Machine.read()
    assert found.cpus >= 1
    assert found.memory > 0
    assert found.boot_id
    assert 0 < Processes.read().present < Processes.read().most


def test_a_disk_has_sizes(tmp_path: Path) -> None:
    disk = Disk.of(tmp_path)
    assert disk.size > disk.available > 0
