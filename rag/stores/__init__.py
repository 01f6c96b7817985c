"""Vector stores: unit float32 rows, shape (n, d), → the nearest rows and their cosines."""
