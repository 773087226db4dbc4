"""Logs, exec, attach and port-forward: requests that the API server passes on to the kubelet of the pod's node."""
