"""Kinds of the coordination.k8s.io group, one a file."""
