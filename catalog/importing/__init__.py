"""Books from files: a reader a format, one writer for all, and what lets an import be stopped and gone on with."""
