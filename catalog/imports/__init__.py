"""Import of books from files: one parser per format, one writer for all, and checkpoints to resume from."""
