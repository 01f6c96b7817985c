"""One file for each door."""
