"""Kinds of the node.k8s.io group, one a file."""
