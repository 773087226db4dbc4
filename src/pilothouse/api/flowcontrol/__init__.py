"""Kinds of the flowcontrol.apiserver.k8s.io group, one a file."""
