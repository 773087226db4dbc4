"""The kinds of which quotas count more than objects, one a file."""
