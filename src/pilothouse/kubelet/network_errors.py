"""Network errors as Go prints them: events of probes and hooks carry them, and people and tools match on the form."""

import os
import socket


def endpoint(host: str, port: int) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dial_failure(error: OSError, host: str, port: int) -> str:
    """Why no connection came about."""
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host}: no such host"
    if error.errno is None and isinstance(error, TimeoutError):
        return f"dial tcp {endpoint(host, port)}: i/o timeout"
    return f"dial tcp {endpoint(host, port)}: connect: {_words(error)}"


def _words(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno is not None else str(error)
