"""Many rates at once: read from a file, compared with those that are there, written in one go, told as a notice."""
