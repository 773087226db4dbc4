"""What /etc/resolv.conf says."""

from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")


def values(word: str, file: Path = RESOLV_CONF) -> list[str]:
    """What stands behind `word`, over all lines that begin with it."""
    lines = [line.split() for line in file.read_text().splitlines()]
    return [value for words in lines if words and words[0] == word for value in words[1:]]
