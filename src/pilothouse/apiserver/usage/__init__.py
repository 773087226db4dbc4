"""What nodes and pods use: the group metrics.k8s.io, which upstream has from metrics-server."""
