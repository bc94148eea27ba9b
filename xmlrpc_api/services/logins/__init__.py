"""Who logs in, with what."""
