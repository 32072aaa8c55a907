"""Reviews brought along from other places: a Goodreads library export, a StoryGraph export.

`files` cuts the file into rows, `goodreads` and `storygraph` read a row, `matching` finds its book or adds it, `run`
writes the reviews, a row a transaction, and `models` keeps how far it is.
"""
