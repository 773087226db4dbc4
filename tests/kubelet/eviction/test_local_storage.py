"""Pods that write more than they may. Upstream: eviction_manager_test.go, TestStorageLimitEvictions."""

from typing import Any

import pytest

from kubelet.starving import MI, asking, share, used
from pilothouse.kubelet.eviction.local_storage import Excess, excess, is_limited

VOLUME = {"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]}
LIMIT = {"limits": {"ephemeral-storage": "1Mi"}}
TWO = {
    "containers": [
        {"name": "app", "image": "a", "resources": {"limits": {"ephemeral-storage": "1Mi"}}},
        {"name": "side", "image": "a", "resources": {"limits": {"ephemeral-storage": "3Mi"}}},
    ]
}
OF_VOLUME = Excess("emptydirfs.limit", 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ')
OF_POD = Excess(
    "ephemeralpodfs.limit", "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "
)  # fmt: skip
OF_APP = Excess(
    "ephemeralcontainerfs.limit", 'Container app exceeded its local ephemeral storage limit "1Mi". '
)  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "disks", "apart", "found"),
    [
        (VOLUME, {"volumes": {"v": share(MI)}}, False, None),
        (VOLUME, {"volumes": {"v": share(MI + 1)}}, False, OF_VOLUME),
        (VOLUME, {}, False, None),
        ({"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "0"}}]}, {"volumes": {"v": share(5)}}, False, None),
        (LIMIT, {"writable": {"app": share(MI)}}, False, None),
        (LIMIT, {"writable": {"app": share(MI)}, "logs": {"app": share(1)}}, False, OF_POD),
        ({**LIMIT, "volumes": [{"name": "v", "emptyDir": {}}]}, {"volumes": {"v": share(MI + 1)}}, False, OF_POD),
        (LIMIT, {"writable": {"app": share(MI + 1)}}, True, OF_POD),
        (TWO, {"writable": {"app": share(MI)}, "logs": {"app": share(1)}}, False, OF_APP),
        (TWO, {"writable": {"app": share(MI)}, "logs": {"app": share(1)}}, True, None),
        (TWO, {"writable": {"side": share(3 * MI)}}, False, None),
        ({}, {"writable": {"app": share(9 * MI)}}, False, None),
    ],
)
def test_each_limit_counts(spec: dict[str, Any], disks: dict[str, Any], apart: bool, found: Excess | None) -> None:
    pod = asking("web", **spec)
    assert excess(pod, used(pod, **disks), images_apart=apart) == found
    assert is_limited(pod) is (spec != {})
