"""Bytes by key and revision. Knows no API objects."""
