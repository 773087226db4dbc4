"""Whether the kernel enforces AppArmor."""

from pathlib import Path

import pytest

from pilothouse.linux.app_armor import app_armor_enabled


@pytest.mark.parametrize(
    ("directory", "parameter", "enabled"),
    [(True, "Y\n", True), (True, "N\n", False), (True, None, False), (False, "Y\n", False)],
)
def test_the_kernel_says_so(tmp_path: Path, directory: bool, parameter: str | None, enabled: bool) -> None:
    if directory:
        (tmp_path / "sys/kernel/security/apparmor").mkdir(parents=True)
    if parameter is not None:
        file = tmp_path / "sys/module/apparmor/parameters/enabled"
        file.parent.mkdir(parents=True)
        file.write_text(parameter)
    assert app_armor_enabled(tmp_path) is enabled
