"""The file of host names."""

from collections.abc import Sequence
from pathlib import Path

from contract_images.agnhost.flags import Flags


def run(arguments: Sequence[str]) -> int:
    """Print it."""
    Flags(arguments, {})
    print(Path("/etc/hosts").read_text())
    return 0
