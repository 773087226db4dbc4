"""Whether the kernel enforces AppArmor's profiles. Documentation/admin-guide/LSM/apparmor.rst."""

from pathlib import Path


def app_armor_enabled(root: Path = Path("/")) -> bool:
    """On this machine, or by the files below `root`."""
    if not (root / "sys/kernel/security/apparmor").exists():
        return False
    try:
        return (root / "sys/module/apparmor/parameters/enabled").read_text().startswith("Y")
    except OSError:
        return False
