"""The database, the fast way to it, and what its errors mean."""
