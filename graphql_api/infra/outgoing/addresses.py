"""Addresses that a request may go to which a user has asked for: those of the public Internet."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

# Global by their number, but answered by the machine's own network: a cloud's agent (Azure).
LOCAL_SERVICES = {ip_address("168.63.129.16")}

# IPv6 networks whose addresses have an IPv4 address within them, and lead to that.
_NAT64 = ip_network("64:ff9b::/96")
_TUNNELS = [ip_network("2002::/16"), ip_network("2001::/32")]  # 6to4 and Teredo: long out of use


def is_public(address: Address) -> bool:
    """Tell whether an address is of the public Internet, also where it stands within another."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or any(address in network for network in _TUNNELS):
            return False
    return address.is_global and not address.is_multicast and address not in LOCAL_SERVICES


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
