"""Deployment: replaces the pods of one template by those of the next, a few at a time.

Read `revisions` (which ReplicaSet is the new one, and what it is called), `rollout` (how large each may be now),
`status` (what is told about it), then `controller`, which carries it out. API page: apps/v1 Deployment; upstream:
pkg/controller/deployment.
"""

from pilothouse.controllers.deployment.controller import DeploymentController

__all__ = ["DeploymentController"]
