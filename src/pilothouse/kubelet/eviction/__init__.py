"""What a node does when it runs out of something: it ends pods before the kernel does. Upstream: pkg/kubelet/eviction.

API page: "Node-pressure Eviction". `pressure` decides whether something must be done, `ranking` who goes first,
`messages` what is told; `evictor` does it.
"""
