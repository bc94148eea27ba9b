"""The operations of NGNPro's SOAP ports, on the same services as everything else."""
