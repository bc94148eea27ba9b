"""The installation itself: settings that are changed while it runs, notes, and how its database is copied."""
