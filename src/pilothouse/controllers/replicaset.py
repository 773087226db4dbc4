"""ReplicaSet: as many pods of one template as were asked for; see `reconcile.replicas`.

API page: apps/v1 ReplicaSet; upstream: pkg/controller/replicaset.
"""

from pilothouse.api.types.apps_v1 import ReplicaSet
from pilothouse.api.types.core_v1 import Pod
from pilothouse.reconcile.controller import EVENTS, Watch, itself, owner, rule, selecting
from pilothouse.reconcile.replicas import ReplicasController


class ReplicaSetController(ReplicasController):
    """Keeps the number of pods."""

    name = "replicaset-controller"
    kind = ReplicaSet
    watches = (Watch(ReplicaSet, itself), Watch(Pod, owner(ReplicaSet)), Watch(Pod, selecting(ReplicaSet)))
    rules = (
        rule(("apps", "extensions"), ("replicasets",), ("get", "list", "watch", "update")),
        rule(("apps", "extensions"), ("replicasets/status",), ("update",)),
        rule(("apps", "extensions"), ("replicasets/finalizers",), ("update",)),
        rule(("",), ("pods",), ("list", "watch", "patch", "create", "delete")),
        EVENTS,
    )
