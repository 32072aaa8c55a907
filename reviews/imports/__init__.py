"""Import of reviews from exports of Goodreads, Skoob and The StoryGraph.

`encodings` decodes the file, `tables` splits it into rows and cells, and `files` checks its columns. `goodreads` and
`storygraph` parse a row with what `rows` and `dates` share, `matching` finds or adds its book, `runner` writes the
reviews, one transaction per row, and `models` stores the progress. `errors` has the codes of the report.
"""
