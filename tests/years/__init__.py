"""Whole years of clubs, lived through the API."""
