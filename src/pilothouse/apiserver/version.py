"""What /version says."""

import platform
import sys

from pilothouse.api.machinery.view import JsonObject

MAJOR, MINOR, PATCH = 1, 37, 0
GIT_VERSION = f"v{MAJOR}.{MINOR}.{PATCH}+pilothouse"


def version_document() -> JsonObject:
    """The version.Info of this server."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "major": str(MAJOR),
        "minor": str(MINOR),
        "emulationMajor": str(MAJOR),
        "emulationMinor": str(MINOR),
        "minCompatibilityMajor": str(MAJOR),
        "minCompatibilityMinor": str(MINOR - 1),
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": sys.implementation.name,
        "platform": f"linux/{architecture}",
    }
