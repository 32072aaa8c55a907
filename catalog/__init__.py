"""Books, one row per work, with editions, authors and subjects; search, lookup by ISBN, revisions."""
