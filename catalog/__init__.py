"""Books: one row a work, with its editions, authors and subjects; search, lookup by ISBN, revisions."""
