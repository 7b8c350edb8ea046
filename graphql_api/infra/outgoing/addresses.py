"""Addresses that a request may go to which a user has asked for: those of the public Internet."""

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

# What the ipaddress module takes for global, at least in some versions of Python, and is not.
_LOCAL = [
    ip_network("168.63.129.16/32"),  # a cloud's agent: Azure's
    ip_network("192.0.0.0/24"),  # special purposes (RFC 6890), among them Oracle's metadata
    ip_network("::/96"),  # IPv4 within IPv6, as it once was meant
    ip_network("64:ff9b:1::/48"),  # NAT64 of one network (RFC 8215)
    ip_network("::ffff:0:0:0/96"),  # translated IPv4 (RFC 2765)
    ip_network("2001::/32"),  # Teredo: leads to an IPv4 address, and is long out of use …
    ip_network("2002::/16"),  # … as is 6to4
    ip_network("fec0::/10"),  # once the addresses of a site
]
_NAT64 = ip_network("64:ff9b::/96")  # leads to the IPv4 address within it (RFC 6052)


def is_public(address: Address) -> bool:
    """Tell whether an address is of the public Internet, also where it stands within another."""
    inner = _inner(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_public(inner)
    is_local = any(address in network for network in _LOCAL)
    return address.is_global and not address.is_multicast and not is_local


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
