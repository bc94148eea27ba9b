"""The server: from bytes on a socket to a change in the database and back."""
