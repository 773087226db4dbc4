"""Paths below an object that do more than show or write a part of it, a file each."""
