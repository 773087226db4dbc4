"""Kinds of the metrics.k8s.io group, one a file: what nodes and pods use.

Upstream gets the group from an addon, metrics-server; it is not among the built-in kinds, and its definitions stand
here. Source: k8s.io/metrics/pkg/apis/metrics/v1beta1.
"""
