"""Files of a pod beside its volumes."""

from pathlib import Path

from kubelet.harness import FakeMounter
from pilothouse.kubelet.environment import EnvFile
from pilothouse.kubelet.pod_files import read_env_file
from pilothouse.kubelet.volume import HostVolume


def test_a_file_of_variables_is_read_within_its_volume(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("A='1'")
    assert read_env_file(HostVolume(tmp_path), "f", FakeMounter()) == EnvFile(str(tmp_path / "f"), "A='1'")
    assert read_env_file(HostVolume(tmp_path), "none", FakeMounter()) == EnvFile(str(tmp_path / "none"), None)
    assert read_env_file(HostVolume(tmp_path), ".", FakeMounter()) == EnvFile(str(tmp_path), None)
    assert read_env_file(None, "f", FakeMounter()) is None
