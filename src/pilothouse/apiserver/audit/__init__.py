"""Audit: who did what, as a policy wants it kept."""
