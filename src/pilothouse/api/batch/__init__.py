"""Kinds of the batch group, one a file."""
