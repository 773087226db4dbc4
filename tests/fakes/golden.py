"""Objects of every kind of v1.36 in JSON, YAML and protobuf, as upstream's own code wrote them: an oracle.

The files are upstream's and no part of this repository: they are looked for in `shared/testdata` beside it, in CI as
on a developer's machine. A triple `X.json`, `X.yaml`, `X.pb` is one object; where there is an `X.after_roundtrip`, it
is what v1.37 makes of X.
"""

from pathlib import Path

import pytest

DIRECTORY = Path(__file__).parents[3] / "shared" / "testdata" / "kubernetes-api-v1.36"
GONE_BY_NOW = {
    "scheduling.k8s.io.v1alpha2.PodGroup": "the version is not part of v1.37",
    "scheduling.k8s.io.v1alpha2.Workload": "the version is not part of v1.37",
}


def stems() -> list[str]:
    """The objects by the names of their files; one that says what is missing where the files are not there."""
    found = sorted(path.stem for path in DIRECTORY.glob("*.pb") if not path.stem.endswith(".after_roundtrip"))
    return found or ["absent"]


def path_of(stem: str, form: str) -> Path:
    """The file of an object in a form. Skips the test where the files are not there."""
    if not DIRECTORY.is_dir():
        pytest.skip("upstream's objects are not there: shared/testdata/kubernetes-api-v1.36 beside the repository")
    return DIRECTORY / f"{stem}.{form}"


def now(stem: str) -> str:
    """The name of what v1.37 makes of an object."""
    later = f"{stem}.after_roundtrip"
    return later if (DIRECTORY / f"{later}.pb").exists() else stem
