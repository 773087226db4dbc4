"""Pods that the node is told of by a file or a URL, and their mirrors in the API."""
