"""Two books that are one work become one, and can become two again."""
