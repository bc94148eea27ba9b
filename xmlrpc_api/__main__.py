"""`python -m xmlrpc_api`, the same as `xmlrpc-api`."""
