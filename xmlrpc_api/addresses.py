"""Addresses of clients: which network one belongs to, and as what it counts."""

import ipaddress
from collections.abc import Iterable

IPV6_NETWORK_BITS = 64
MAPPED_BITS = 96  # before the IPv4 address in one that is written as IPv6
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_in(address: str, networks: list[Network]) -> bool:
    """Whether an address belongs to one of the networks; IPv4 written as IPv6 counts as IPv4."""
    if not networks:
        return False
    ip = _parsed(address)
    return ip is not None and any(ip in network for network in networks)


def containing(address: str, lengths: Iterable[int]) -> list[Network]:
    """The networks of these lengths to which an address belongs, each of so many bits as its kind has at most."""
    ip = _parsed(address)
    if ip is None:
        return []
    return [ipaddress.ip_network((ip, bits), strict=False) for bits in lengths if bits <= ip.max_prefixlen]


def network_of(text: str) -> Network | None:
    """The network, or single address, that a text names; IPv4 written as IPv6 is IPv4. None: it names none."""
    if "%" in text:  # the name of a link, which means something on one machine alone
        return None
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError:
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None:
        return network
    bits = network.prefixlen - MAPPED_BITS
    return ipaddress.IPv4Network((mapped, bits)) if bits >= 0 else None


def written(network: Network) -> str:
    """A network as people write it; one of a single address is that address."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def span(network: Network) -> tuple[str, str]:
    """The first and the last address of a network as texts, which stand in the order of the addresses."""
    return _comparable(network.network_address), _comparable(network.broadcast_address)


def overlap(one: Network, other: Network) -> bool:
    """Whether an address belongs to both."""
    return one.version == other.version and one.overlaps(other)


def _comparable(address: Address) -> str:
    return f"{address.version}{address.packed.hex()}"


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
