"""Mail: what is to be sent waits in an outbox, in the transaction that wants it, and is sent in the background."""
