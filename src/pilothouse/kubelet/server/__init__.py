"""The kubelet's HTTPS API: logs and streams of containers, the node's pods, health and metrics."""
