"""The methods of those who run the platform, and of those who find their way around in it."""
