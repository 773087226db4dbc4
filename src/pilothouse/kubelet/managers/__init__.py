"""Processors and memory of their own for single containers, near to what else they use. Upstream: pkg/kubelet/cm.

API pages: "Control CPU Management Policies on the Node", "Control Topology Management Policies on a node", "Control
Memory Management Policies on a Node".
"""
