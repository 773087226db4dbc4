"""The container runtime interface (CRI), runtime.v1: the only way the kubelet reaches a runtime."""
