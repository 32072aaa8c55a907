"""Import of reviews from Goodreads and StoryGraph exports.

`files` splits the file into rows, `goodreads` and `storygraph` parse a row, `matching` finds or adds its book, `runner`
writes the reviews, one transaction per row, and `models` stores the progress.
"""
