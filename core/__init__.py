"""The toolkit that every app stands on. It imports no app."""
