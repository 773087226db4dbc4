"""sig-node: as whom a container runs, and what it may do. The pods of the table run side by side."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from contract.api import Json
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX, NONEWPRIVS
from contract.side_by_side import side_by_side
from contract.workloads import Ended, Workloads, container, pod

_NON_ROOT = 1000


@dataclass(frozen=True)
class Row:
    """A pod that must end well, having printed something."""

    command: tuple[str, ...] = ()
    image: str = BUSYBOX
    security: Mapping[str, object] | None = None
    pods_security: Mapping[str, object] | None = None
    printed: Sequence[str] = ()
    """What must be in its log."""

    def body(self, name: str) -> Json:
        """The pod."""
        command = {"command": [*self.command]} if self.command else {}
        box = container(name="test-container", image=self.image, securityContext=self.security or {}, **command)
        return pod(name, box, securityContext=self.pods_security or {})


TABLE = {
    "Security Context When creating a container with runAsUser should run the container with uid 65534": Row(
        ("sh", "-c", "test $(id -u) -eq 65534"), security={"runAsUser": 65534}
    ),
    "Security Context When creating a pod with privileged should run the container as unprivileged when false": Row(
        ("sh", "-c", "ip link add dummy0 type dummy || true"), security={"privileged": False},
        printed=("Operation not permitted",),
    ),
    "Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs"
    " when readOnlyRootFilesystem=false": Row(
        ("sh", "-c", "touch checkfile"), security={"readOnlyRootFilesystem": False}
    ),
    "Security Context should support container.SecurityContext.RunAsUser And"
    " container.SecurityContext.RunAsGroup": Row(
        ("sh", "-c", "id"), security={"runAsUser": 1002, "runAsGroup": 2002},
        pods_security={"runAsUser": 1001, "runAsGroup": 2001}, printed=("uid=1002", "gid=2002"),
    ),
    "Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup": Row(
        ("sh", "-c", "id"), pods_security={"runAsUser": 1001, "runAsGroup": 2002},
        printed=("uid=1001", "gid=2002"),
    ),
    "Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation"
    " when false": Row(
        image=NONEWPRIVS, security={"allowPrivilegeEscalation": False, "runAsUser": _NON_ROOT},
        printed=(f"Effective uid: {_NON_ROOT}\n",),
    ),
    "Sysctls should support sysctls": Row(
        ("/bin/sysctl", "kernel.shm_rmid_forced"),
        pods_security={"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
        printed=("kernel.shm_rmid_forced = 1\n",),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, shared: Workloads) -> Iterator[Callable[[str], Ended]]:
    """What came of the pods, by what they stand for."""

    def run(name: str) -> Ended:
        return shared.run(TABLE[name].body(f"security-{[*TABLE].index(name)}"))

    with side_by_side(request, "name", run) as found:
        yield found


@pytest.mark.parametrize("name", [pytest.param(name, marks=conformance(name)) for name in TABLE])
def test_security(name: str, outcome: Callable[[str], Ended], check: Checks) -> None:
    ended = outcome(name)
    check("succeeded", ended.phase, "Succeeded")
    wanted = TABLE[name].printed
    if wanted:
        check("printed", [word for word in wanted if word not in ended.log], [])
