"""How large logs are, with upstream's labels."""

from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.log_metrics import log_family
from pilothouse.kubelet.stats import PodUse


def test_each_container_has_its_own() -> None:
    logs = {"app": FilesystemUse(7, 1, 10, 10, 1, 1, 0.0), "b": FilesystemUse(9, 1, 10, 10, 1, 1, 0.0)}
    told = page(
        [log_family([PodUse(uid="u", name="web", namespace="shop", logs=logs), PodUse(uid="v", name="none")])]
    ).decode()
    of = 'namespace="shop",pod="web",uid="u"'
    assert told.splitlines()[2:] == [
        f'kubelet_container_log_filesystem_used_bytes{{container="app",{of}}} 7',
        f'kubelet_container_log_filesystem_used_bytes{{container="b",{of}}} 9',
    ]
