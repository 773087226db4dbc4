"""What a node does when its machine is shut down: it ends its pods, in turns, before others end them.

API page: "Node Shutdowns"; KEP-2000, KEP-2712. `policy` says how long each turn takes, `groups` who is in which;
`shutdown` does it. Upstream: pkg/kubelet/nodeshutdown.
"""
