"""Addresses of clients: which network one belongs to, and as what it counts."""

import ipaddress

IPV6_NETWORK_BITS = 64
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_in(address: str, networks: list[Network]) -> bool:
    """Whether an address belongs to one of the networks; IPv4 written as IPv6 counts as IPv4."""
    if not networks:
        return False
    ip = _parsed(address)
    return ip is not None and any(ip in network for network in networks)


def counted(address: str) -> str:
    """
    As what an address counts where attempts are limited: IPv4 as itself, IPv6 as the network of one household.

    What is no address, such as the empty one of a client on a Unix socket, counts as it is.
    """
    ip = _parsed(address)
    if ip is None:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ipaddress.ip_network((int(ip), IPV6_NETWORK_BITS), strict=False))


def _parsed(address: str) -> Address | None:
    """An address; IPv4 written as IPv6 is IPv4."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
