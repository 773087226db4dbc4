"""Kinds of the apiregistration.k8s.io group, one a file."""
