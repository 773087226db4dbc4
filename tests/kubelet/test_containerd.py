"""What containerd is configured with, and which low-level runtimes are found."""

import asyncio
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from pilothouse.kubelet import containerd
from pilothouse.kubelet.containerd import Containerd, ContainerdConfig, RuntimeMissing, plugin_directory, render
from pilothouse.kubelet.handlers import Handler, detect_handlers
from pilothouse.runtime.clock import SystemClock

CRI = "io.containerd.grpc.v1.cri"
CONFIG = ContainerdConfig(Path("/r"), Path("/s"), Path("/cni"), Path("/certs.d"))
RUNC, CRUN = Handler("io.containerd.runc.v2", "runc"), Handler("io.containerd.runc.v2", "crun")
GVISOR = Handler("io.containerd.runsc.v1")


@pytest.mark.parametrize(("programs", "expected"), [
    ([], {}),
    (["runc"], {"runc": RUNC}),
    (["crun", "runc"], {"runc": RUNC, "crun": CRUN}),
    (["runsc"], {}),
    (["runsc", "containerd-shim-runsc-v1"], {"runsc": GVISOR}),
    (["containerd-shim-kata-v2"], {"kata": Handler("io.containerd.kata.v2")}),
])  # fmt: skip
def test_handlers_are_those_whose_programs_are_installed(
    tmp_path: Path, programs: list[str], expected: dict[str, Handler]
) -> None:
    for name in programs:
        (tmp_path / name).touch(mode=0o755)
    assert detect_handlers(str(tmp_path)) == expected


def test_a_file_that_is_no_program_is_none(tmp_path: Path) -> None:
    (tmp_path / "runc").touch(mode=0o644)
    assert detect_handlers(str(tmp_path)) == {}


def test_the_configuration() -> None:
    found = tomllib.loads(render(CONFIG, {"runc": RUNC, "runsc": GVISOR}, Path("/plugins"), may_lower_oom=True))
    assert (found["version"], found["root"], found["state"]) == (2, "/r", "/s")
    assert found["grpc"]["address"] == str(CONFIG.socket) == "/s/containerd.sock"
    assert found["plugins"]["io.containerd.internal.v1.opt"]["path"] == "/r/opt"
    cri = found["plugins"][CRI]
    assert cri["sandbox_image"] == "pilothouse.local/pause:1"
    assert (cri["stream_server_address"], cri["stream_server_port"]) == ("127.0.0.1", "0")
    assert (cri["enable_unprivileged_ports"], cri["enable_unprivileged_icmp"]) == (True, True)
    assert cri["cni"] == {"bin_dir": "/plugins", "conf_dir": "/cni"}
    assert cri["registry"] == {"config_path": "/certs.d"}
    assert replace(CONFIG, mirrors=Path("/mine")).registries == "/mine:/certs.d"
    assert cri["containerd"]["default_runtime_name"] == "runc"
    assert cri["containerd"]["snapshotter"] == "overlayfs"
    assert cri["containerd"]["runtimes"] == {
        "runc": {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": "runc"}},
        "runsc": {"runtime_type": "io.containerd.runsc.v1"},
    }


@pytest.mark.parametrize("allowed", [True, False])
def test_scores_are_lowered_where_the_kernel_lets_us(allowed: bool) -> None:
    found = tomllib.loads(render(CONFIG, {"runc": RUNC}, Path("/plugins"), may_lower_oom=allowed))
    assert found["plugins"][CRI]["restrict_oom_score_adj"] is not allowed


def test_runc_is_the_default_else_the_first() -> None:
    def default(*names: str) -> str:
        handlers = dict.fromkeys(names, GVISOR)
        found = tomllib.loads(render(CONFIG, handlers, Path("/plugins"), may_lower_oom=True))
        return str(found["plugins"][CRI]["containerd"]["default_runtime_name"])

    assert default("crun", "runc") == "runc"
    assert default("crun", "runsc") == "crun"


def test_a_directory_of_mirrors_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("containerd", "ctr", "runc"):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    config = replace(CONFIG, mirrors=tmp_path / "none")
    with pytest.raises(RuntimeMissing, match=f"no directory {tmp_path}/none to look for registries' hosts.toml in"):
        asyncio.run(Containerd(config, SystemClock()).start())


def test_plug_ins_are_where_the_loopback_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = (tmp_path / "a", tmp_path / "b")
    monkeypatch.setattr(containerd, "_PLUGIN_DIRECTORIES", places)
    with pytest.raises(RuntimeMissing, match="install containernetworking-plugins"):
        plugin_directory()
    places[1].mkdir()
    (places[1] / "loopback").touch()
    assert plugin_directory() == places[1]
