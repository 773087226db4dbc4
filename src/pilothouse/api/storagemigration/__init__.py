"""Kinds of the storagemigration.k8s.io group, one a file."""
