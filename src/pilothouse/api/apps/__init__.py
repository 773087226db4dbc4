"""Kinds of the apps group, one a file."""
