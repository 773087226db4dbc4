"""Pages of the kubelet's API that stand for themselves, one a file."""
