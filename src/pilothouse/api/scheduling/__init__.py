"""Kinds of the scheduling.k8s.io group, one a file."""
