"""Runs the node's tests on a second kernel: Debian's own, with cgroup v2 alone and NFS, in QEMU.

    python tools/second_kernel.py [--with PATH]... [ARGUMENTS OF PYTEST]

As root. What is committed is tested; `--with` takes a file along as it lies there. The guest has a base, made once for
one lock file (a Debian system of the packages below, and the locked Python packages for its Python), which runs never
change, and a small second disk with the code and what to do. QEMU translates, so that no virtualisation is needed and
the guest is 10 to 20 times slower: tests are told by SLOWNESS. The guest's console comes out as it is; its last line
carries pytest's code, which becomes ours.
"""

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).parents[1]
CACHE = HOME / ".cache" / "second-kernel"
LOCK = HOME / "requirements-dev.lock"
SUITE = "bookworm"
PYTHON = "3.11"
PACKAGES = (
    "containerd", "runc", "crun", "containernetworking-plugins", "iptables", "nftables", "conntrack", "iproute2",
    "procps", "kmod", "python3", "busybox-static", "catatonit", "nfs-kernel-server", "nfs-common", "dbus-daemon",
    "linux-image-cloud-amd64", "initramfs-tools", "udev", "ca-certificates",
)  # fmt: skip
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "debootstrap": "debootstrap", "mkfs.ext4": "e2fsprogs"}
"""What the host needs, and the package that has it."""
TESTS = (
    "tests/linux/test_cgroups.py", "tests/linux/test_cgroup_limits.py", "tests/linux/test_cgroup_usage.py",
    "tests/linux/test_memory_notice.py", "tests/linux/test_pressure.py", "tests/kubelet/test_nfs_on_server.py",
    "tests/kubelet/test_on_containerd.py", "tests/kubelet/test_stats_on_containerd.py",
    "tests/kubelet/test_volumes_on_containerd.py", "tests/kubelet/test_cpus_on_containerd.py",
    "tests/kubelet/test_evictions_on_containerd.py", "tests/kubelet/cri/test_runtime_checks.py",
    "tests/kubelet/cri/test_handlers.py",
)  # fmt: skip
SLOWNESS = os.environ.get("SLOWNESS", "15")  # noqa: TID251 - configuration of the tests
BASE_SIZE, CODE_SIZE = "6G", "256M"
APPEND = "root=/dev/vda rw init=/sbin/second-kernel console=ttyS0 loglevel=1 panic=-1 mitigations=off tsc=unstable"
VERDICT = re.compile(r"^second kernel: pytest ended with (\d+)\s*$")
STARTER = """#!/bin/sh
mkdir -p /code
mount /dev/vdb /code
. /code/guest.sh
"""
"""The base's init, which does not change with what is run."""
GUEST = """
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sys /sys
mount --make-rshared /
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/shm /dev/pts
mountpoint -q /dev/pts || mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mountpoint -q /run || mount -t tmpfs run /run
for module in overlay bridge veth br_netfilter loop nfs nfsd; do modprobe $module; done
ip link set lo up
hostname second-kernel
# As under systemd, the tests are in a group of their own, below a root that hands every controller on.
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo +$controller > /sys/fs/cgroup/cgroup.subtree_control
done
mkdir /sys/fs/cgroup/tests.slice
echo $$ > /sys/fs/cgroup/tests.slice/cgroup.procs
uname -a
cd /code
SLOWNESS={slowness} PYTHONPATH=/code/src:/site PYTHONDONTWRITEBYTECODE=1 \\
    python3 -m pytest -p no:cacheprovider -vv --durations=10 {arguments} < /dev/null
echo "second kernel: pytest ended with $?"
sync
busybox reboot -f
"""


def run(*command: str | Path) -> None:
    """A command that must succeed."""
    subprocess.run(command, check=True)


def disk(directory: Path, image: Path, size: str) -> None:
    """Make a disk of a directory."""
    unfinished = image.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    run("mkfs.ext4", "-q", "-F", "-m", "0", "-d", directory, unfinished, size)
    unfinished.rename(image)


def base() -> Path:
    """The base: its disk, and beside it the kernel and what that begins with."""
    made_of = "\n".join((SUITE, STARTER, *PACKAGES, LOCK.read_text()))
    place = CACHE / hashlib.sha256(made_of.encode()).hexdigest()[:16]
    if (place / "base.img").exists():
        return place
    shutil.rmtree(CACHE, ignore_errors=True)
    place.mkdir(parents=True)
    root = place / "root"
    run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root)
    finish(root)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(next((root / "boot").glob(f"{name}-*")), place / name)
    disk(root, place / "base.img", BASE_SIZE)
    shutil.rmtree(root)
    return place


def finish(root: Path) -> None:
    """Give a Debian system the locked Python packages and its init."""
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--python-version", PYTHON, "--only-binary=:all:",
        "--target", root / "site", "--require-hashes", "--requirement", LOCK,
    )  # fmt: skip
    run("chroot", root, "python3", "-m", "compileall", "-q", "-j0", "/site")
    starter = root / "sbin" / "second-kernel"
    starter.write_text(STARTER)
    starter.chmod(0o755)
    shutil.rmtree(root / "var" / "cache" / "apt", ignore_errors=True)


def code(place: Path, along: list[str], arguments: list[str]) -> None:
    """A directory with what is committed, what is taken along, and what the guest is to do."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=HOME, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", place, "--no-same-owner"], input=archive.stdout, check=True)
    for name in along:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HOME / name, place / name)
    run(sys.executable, "-m", "compileall", "-q", place / "src")
    (place / "guest.sh").write_text(GUEST.format(slowness=SLOWNESS, arguments=shlex.join(arguments)))


def start(place: Path, disks: Path) -> int:
    """Run the guest, and say what pytest ended with; 70 if it never came to that. It ends when we do."""
    drives = [
        word for image in (place / "base.img", disks)
        for word in ("-drive", f"file={image},format=raw,if=virtio,cache=unsafe,snapshot=on")
    ]  # fmt: skip
    command = [
        "setpriv", "--pdeathsig", "KILL", "nice", "-n", "19",
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3072",
        "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", *drives,
        "-kernel", str(place / "vmlinuz"), "-initrd", str(place / "initrd.img"),
        "-append", APPEND,
    ]  # fmt: skip
    result = 70
    guest = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
    try:
        assert guest.stdout is not None
        for line in guest.stdout:
            print(line.replace("\r", ""), end="", flush=True)
            if verdict := VERDICT.match(line):
                result = int(verdict[1])
    finally:
        guest.kill()
        guest.wait()
    return result


def main() -> int:
    """Test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="along", action="append", default=[], metavar="PATH", help="an uncommitted file")
    options, arguments = parser.parse_known_args()
    if os.geteuid() != 0:
        sys.exit("run this as root: it makes file systems whose files are root's")
    if missing := sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None}):
        sys.exit(f"install {' '.join(missing)}")
    place = base()
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as directory:
        tree, image = Path(directory, "code"), Path(directory, "code.img")
        tree.mkdir()
        code(tree, options.along, arguments or list(TESTS))
        disk(tree, image, CODE_SIZE)
        return start(place, image)


if __name__ == "__main__":
    sys.exit(main())
