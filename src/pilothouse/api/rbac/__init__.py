"""Kinds of the rbac.authorization.k8s.io group, one a file."""
