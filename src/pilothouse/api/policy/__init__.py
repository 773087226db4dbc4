"""Kinds of the policy group, one a file."""
