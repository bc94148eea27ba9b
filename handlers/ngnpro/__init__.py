"""The operations of NGNPro's SOAP ports, on the same services as everything else."""

from handlers.ngnpro import customers, sip

__all__ = ["customers", "sip"]
