"""Kinds of the core group, one a file."""
