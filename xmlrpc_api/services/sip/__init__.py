"""SIP domains and aliases."""
