"""Flags of the API server as `up` is given them: checked at once, files named so that any process finds them."""

from collections.abc import Sequence
from pathlib import Path

from pilothouse.apiserver.flags import FILES, FlagError, check
from pilothouse.cluster.errors import ClusterError

_STREAM = "-"
"""In place of a file: the standard output."""


def apiserver_flags(words: Sequence[str]) -> dict[str, str]:
    """Flags by name, from words such as `event-ttl=10m`. Raises ClusterError."""
    found: dict[str, str] = {}
    for word in words:
        name, _, value = word.removeprefix("--").partition("=")
        found[name] = str(Path(value).absolute()) if name in FILES and value != _STREAM else value
    try:
        check(found)
    except FlagError as error:
        raise ClusterError(f"--apiserver-flag: {error}") from None
    return found
