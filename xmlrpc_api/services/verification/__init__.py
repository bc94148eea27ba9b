"""Proofs that the books and the history are right."""
