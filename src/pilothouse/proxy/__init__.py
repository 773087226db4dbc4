"""kube-proxy: traffic to services led to their endpoints by the kernel's own rules."""
