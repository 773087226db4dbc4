"""What a cluster has with the group: who may view, edit or administrate a namespace may see what its pods use.

Source: metrics-server, manifests/base/rbac.yaml.
"""

from pilothouse.api.machinery.view import JsonObject

_GROUP = "rbac.authorization.k8s.io"


def usage_manifests() -> list[JsonObject]:
    """The role that is part of the three."""
    labels = {f"{_GROUP}/aggregate-to-{name}": "true" for name in ("view", "edit", "admin")}
    rule = {"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]}
    return [
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "system:aggregated-metrics-reader", "labels": {"k8s-app": "metrics-server", **labels}},
            "rules": [rule],
        }
    ]
