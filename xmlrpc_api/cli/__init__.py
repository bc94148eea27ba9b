"""The command line, `xmlrpc-api`."""
