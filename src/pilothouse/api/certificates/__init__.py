"""Kinds of the certificates.k8s.io group, one a file."""
