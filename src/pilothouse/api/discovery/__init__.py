"""Kinds of the discovery.k8s.io group, one a file."""
