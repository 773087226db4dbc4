"""Pilothouse: Kubernetes, written in Python. ARCHITECTURE.md shows where things are."""
