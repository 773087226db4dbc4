"""Node lifecycle: what becomes of nodes that fall silent, and of their pods.

Read `health` (has a node spoken), `tainting` (what its conditions do to it), `zones` (how fast, when many fail), then
`controller`, which carries it out; `taint_eviction` is a controller of its own, which evicts. API page: Nodes, "Node
status"; upstream: pkg/controller/nodelifecycle and pkg/controller/tainteviction.
"""

from pilothouse.controllers.node_lifecycle.controller import NodeLifecycleController
from pilothouse.controllers.node_lifecycle.settings import NodeLifecycleSettings
from pilothouse.controllers.node_lifecycle.taint_eviction import TaintEvictionController

__all__ = ["NodeLifecycleController", "NodeLifecycleSettings", "TaintEvictionController"]
