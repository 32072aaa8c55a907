"""Books from files: a reader a format, one writer for all of them, and what lets an import be stopped and gone on with."""
