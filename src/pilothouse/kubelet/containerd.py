"""The node's own containerd: root, state and socket below the node's home; one of the system's is left alone.

It is started as a process of its own session and outlives the kubelet: containers run on while the kubelet restarts,
and the new one adopts what it finds. When it dies it is started again; its shims keep the containers meanwhile.
Configuration: containerd's version 2 format, which 1.x reads and 2.x converts. As 2.x has it of its own accord,
containers without capabilities may listen on low ports of their pod's and send pings.
"""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.handlers import Handler, detect_handlers
from pilothouse.kubelet.pause_image import pause_archive
from pilothouse.linux import processes
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

PAUSE_IMAGE = "pilothouse.local/pause:1"
_NAMESPACE = "k8s.io"
_LONGEST_SOCKET = 107
_PLUGIN_DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
log = Log(__name__)


class RuntimeMissing(Exception):
    """Something the node needs is not installed, or did not start; the text says what to do."""


@dataclass(frozen=True, slots=True)
class ContainerdConfig:
    """Where the instance lives and what it uses."""

    root: Path
    """Images and snapshots."""
    state: Path
    """Socket and run-time state. Short: a Unix socket's path holds at most 107 bytes."""
    cni_config: Path
    """Directory of the pod network's configuration."""
    registry_config: Path
    """Directory with a `hosts.toml` per registry."""
    mirrors: Path | None = None
    """A directory of somebody's own with such files, as `/etc/containerd/certs.d`: what it has of a registry holds."""
    snapshotter: str = "overlayfs"

    @property
    def socket(self) -> Path:
        """Where it answers."""
        return self.state / "containerd.sock"

    @property
    def registries(self) -> str:
        """Where it looks for what to ask for a registry's images, the first place that has something first."""
        return ":".join(str(place) for place in (self.mirrors, self.registry_config) if place is not None)


def plugin_directory() -> Path:
    """Where the CNI plug-ins are."""
    for directory in _PLUGIN_DIRECTORIES:
        if (directory / "loopback").exists():
            return directory
    raise RuntimeMissing(
        f"no CNI plug-ins in {', '.join(map(str, _PLUGIN_DIRECTORIES))}: install containernetworking-plugins"
    )


def render(config: ContainerdConfig, handlers: Mapping[str, Handler], plugins: Path, *, may_lower_oom: bool) -> str:
    """The configuration file."""
    default = "runc" if "runc" in handlers else next(iter(handlers))
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    lines = [
        "version = 2",
        f'root = "{config.root}"',
        f'state = "{config.state}"',
        'disabled_plugins = ["io.containerd.internal.v1.restart"]',
        "[grpc]",
        f'address = "{config.socket}"',
        '[plugins."io.containerd.internal.v1.opt"]',
        f'path = "{config.root / "opt"}"',
        f"[{cri}]",
        f'sandbox_image = "{PAUSE_IMAGE}"',
        'stream_server_address = "127.0.0.1"',
        'stream_server_port = "0"',
        "enable_unprivileged_ports = true",
        "enable_unprivileged_icmp = true",
        f"restrict_oom_score_adj = {str(not may_lower_oom).lower()}",
        f"[{cri}.cni]",
        f'bin_dir = "{plugins}"',
        f'conf_dir = "{config.cni_config}"',
        f"[{cri}.registry]",
        f'config_path = "{config.registries}"',
        f"[{cri}.containerd]",
        f'default_runtime_name = "{default}"',
        f'snapshotter = "{config.snapshotter}"',
    ]
    for name, handler in handlers.items():
        lines += [f"[{cri}.containerd.runtimes.{name}]", f'runtime_type = "{handler.type}"']
        if handler.binary:
            lines += [f"[{cri}.containerd.runtimes.{name}.options]", f'BinaryName = "{handler.binary}"']
    return "\n".join(lines) + "\n"


class Containerd:
    """One instance: started or adopted by `start`, watched by `keep_running`, ended by `stop` alone."""

    def __init__(self, config: ContainerdConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._process: processes.Identity | None = None
        self._note = config.state / "containerd.json"
        self._file = config.state / "containerd.toml"

    @property
    def noted(self) -> bool:
        """Whether an instance was started that nobody has stopped, or that it was killed."""
        return self._note.exists()

    async def start(self) -> None:
        """Have an instance that answers, with the pause image in it. Raises RuntimeMissing."""
        self._check()
        for directory in (self._config.root, self._config.state):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for directory in (self._config.cni_config, self._config.registry_config):
            directory.mkdir(parents=True, exist_ok=True)
        may_lower = processes.has_capability(processes.CAP_SYS_RESOURCE)
        text = render(self._config, detect_handlers(), plugin_directory(), may_lower_oom=may_lower)
        same = self._file.exists() and self._file.read_text() == text
        self._process = processes.Identity.load(self._note)
        if self._process is not None and not same:
            log.info("Restarting containerd with its new configuration", pid=self._process.pid)
            await processes.stop(self._process, self._clock, grace=10)
            self._process = None
        self._file.write_text(text)
        if self._process is None:
            self._launch()
        await self._until_ready()
        await self._import_pause()

    def _check(self) -> None:
        missing = [program for program in ("containerd", "ctr") if shutil.which(program) is None]
        if missing:
            raise RuntimeMissing(f"{' and '.join(missing)} not found on PATH: install containerd")
        if (mirrors := self._config.mirrors) is not None and not mirrors.is_dir():
            raise RuntimeMissing(f"no directory {mirrors} to look for registries' hosts.toml in")
        if not detect_handlers():
            raise RuntimeMissing("no low-level container runtime found on PATH: install runc")
        if len(str(self._config.socket).encode()) > _LONGEST_SOCKET:
            raise RuntimeMissing(
                f"{self._config.socket} is longer than a socket's path may be: choose a shorter directory"
            )

    def _launch(self) -> None:
        self._process = processes.start_detached(
            ["containerd", "--config", str(self._file)], self._config.state / "containerd.log"
        )
        self._process.save(self._note)
        log.info("Started containerd", pid=self._process.pid)

    async def _until_ready(self) -> None:
        problem: Exception | None = None
        try:
            async with self._clock.timeout(30), CriClient(str(self._config.socket), self._clock) as cri:
                while True:
                    if self._process is None or not self._process.alive():
                        raise RuntimeMissing(f"containerd ended: see {self._config.state / 'containerd.log'}")
                    try:
                        await cri.version()
                    except CriError as error:
                        problem = error
                    else:
                        return
                    await self._clock.sleep(0.05)
        except TimeoutError:
            raise RuntimeMissing(
                f"containerd does not answer: see {self._config.state / 'containerd.log'}"
            ) from problem

    async def keep_running(self) -> None:
        """Start it again whenever it dies. Runs until cancelled."""
        while self._process is not None:
            await processes.ended(self._process)
            log.warning("containerd ended, starting it again", pid=self._process.pid)
            self._launch()
            await self._clock.sleep(1)

    async def stop(self) -> None:
        """End the instance; containers that still run stay with their shims."""
        # The note first: who else kept this instance running may have started it anew.
        self._process = processes.Identity.load(self._note) or self._process
        if self._process is not None:
            await processes.stop(self._process, self._clock, grace=10)
        self._process = None
        self._note.unlink(missing_ok=True)

    async def import_image(self, archive: Path) -> None:
        """Add the images of a docker or OCI archive. Raises RuntimeMissing with what ctr said."""
        command = ["ctr", "--address", str(self._config.socket), "--namespace", _NAMESPACE, "images", "import"]
        child = await asyncio.create_subprocess_exec(
            *command, str(archive), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await child.communicate()
        if child.returncode:
            raise RuntimeMissing(f"cannot import {archive}: {output.decode(errors='replace').strip()}")

    async def _import_pause(self) -> None:
        async with CriClient(str(self._config.socket), self._clock) as cri:
            if await cri.image_status(PAUSE_IMAGE) is not None:
                return
        binary = shutil.which("catatonit")
        if binary is None:
            raise RuntimeMissing("catatonit not found on PATH: install catatonit")
        archive = self._config.state / "pause.tar"
        archive.write_bytes(pause_archive(Path(binary), PAUSE_IMAGE))
        try:
            await self.import_image(archive)
        finally:
            archive.unlink()
