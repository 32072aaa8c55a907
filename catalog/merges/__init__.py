"""Merging of duplicate books, and undoing a merge."""
