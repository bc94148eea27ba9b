"""What is charged without a call: the recurring fees of service plans."""
