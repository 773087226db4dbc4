"""What the kubelet counts of its own work, one file for each part of it. Names, labels and buckets are a contract.

What can be told from how things are when somebody asks is not counted at all: see `server/node_metrics.py`. Source:
pkg/kubelet/metrics/metrics.go.
"""
