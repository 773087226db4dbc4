"""Reasons for which a node may not take a pod, one a file. Upstream: pkg/kubelet/lifecycle, sysctl."""
