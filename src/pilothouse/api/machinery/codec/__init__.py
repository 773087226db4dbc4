"""Encodings of objects on the wire."""
