"""Kinds of the resource.k8s.io group, one a file."""
