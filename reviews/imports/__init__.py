"""Import of reviews and readings from exports of other services.

`encodings` decodes the file, `tables` splits it into rows and cells, and `files` checks its columns. Each format has a
module, which parses a row with what `rows` and `dates` share, `matching` finds or adds its book, `runner` writes the
reviews, one transaction per row, and `models` stores the progress. `errors` has the codes of the report.
"""
