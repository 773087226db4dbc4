"""`kubectl explain`: the oldest reads OpenAPI v2 as protobuf, newer ones v3, or v2 where they are told to.

That every kind is in the documents is for `tests/api/machinery/openapi`; here are some, one a group and shape.
"""

import subprocess
from pathlib import Path

import pytest

from fakes.kubectls import OLD, installed

KINDS = ["v1 pods", "apps/v1 deployments", "autoscaling/v2 horizontalpodautoscalers", "events.k8s.io/v1 events",
         "resource.k8s.io/v1 resourceslices", "networking.k8s.io/v1 networkpolicies"]  # fmt: skip
WAYS = [(str(OLD), ""), *((path, "") for path in installed()),
        *((path, "--output=plaintext-openapiv2") for path in installed()[-1:])]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "more"), WAYS, ids=lambda value: value and f"{Path(value).parent.name}/{Path(value).name}"
)
def test_fields_of_kinds(path: str, more: str, kubeconfig: Path, tmp_path: Path) -> None:
    if not Path(path).exists():
        pytest.skip("the oldest kubectl is not there: `make packages` could not download it")
    newest_or_oldest = path in (str(OLD), installed()[-1])
    for version, plural in (kind.split() for kind in (KINDS if newest_or_oldest else KINDS[-1:])):
        command = [path, f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}", "explain", plural, "--recursive",
                   f"--api-version={version}", *more.split()]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert f"{version.rpartition('/')[2]}\n" in done.stdout
        assert "FIELDS:" in done.stdout
        assert "metadata" in done.stdout
        if plural == "pods":
            assert "initialDelaySeconds" in done.stdout
