"""Admission: what may change or refuse a write, a plugin a file."""
