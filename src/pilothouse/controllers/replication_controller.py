"""ReplicationController: what ReplicaSet was before it; see `reconcile.replicas`.

API page: core/v1 ReplicationController; upstream: pkg/controller/replication, an adapter to pkg/controller/replicaset.
"""

from pilothouse.api.types.core_v1 import Pod, ReplicationController
from pilothouse.reconcile.controller import EVENTS, Watch, itself, owner, rule, selecting
from pilothouse.reconcile.replicas import ReplicasController


class ReplicationControllerController(ReplicasController):
    """Keeps the number of pods."""

    name = "replicationcontroller-controller"
    identity = "replication-controller"
    kind = ReplicationController
    tells_terminating = False
    watches = (
        Watch(ReplicationController, itself),
        Watch(Pod, owner(ReplicationController)),
        Watch(Pod, selecting(ReplicationController)),
    )
    rules = (
        rule(("",), ("replicationcontrollers",), ("get", "list", "watch", "update")),
        rule(("",), ("replicationcontrollers/status",), ("update",)),
        rule(("",), ("replicationcontrollers/finalizers",), ("update",)),
        rule(("",), ("pods",), ("list", "watch", "patch", "create", "delete")),
        EVENTS,
    )
