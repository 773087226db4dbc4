"""The controllers, one file each, and their composition root."""
