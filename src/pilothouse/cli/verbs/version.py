"""`pilothouse version`: ours, and that of the API."""

from importlib.metadata import version

from pilothouse.apiserver.version import GIT_VERSION


def run() -> None:
    """Print the versions of Pilothouse and of the Kubernetes API that it serves."""
    print(f"pilothouse {version('pilothouse')}, Kubernetes API {GIT_VERSION}")
