"""What changes data when the server is upgraded."""
