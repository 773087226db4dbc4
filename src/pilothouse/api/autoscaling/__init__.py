"""Kinds of the autoscaling group, one a file."""
