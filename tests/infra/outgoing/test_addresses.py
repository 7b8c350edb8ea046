"""Which addresses are of the public Internet."""

from ipaddress import ip_address

import pytest

from graphql_api.infra.outgoing.addresses import is_public


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254"),  # noqa: S104 - it is only looked at
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
        *("100.64.0.1", "100.100.100.200", "100.127.255.255"),  # carriers' NAT; Alibaba's metadata
        *("169.254.169.254", "169.254.170.2", "168.63.129.16"),  # AWS's, GCP's, ECS's, Azure's
        *("192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe"),
        *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),  # NAT64
        *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
        *("::127.0.0.1", "100::1"),
    ],
)
def test_addresses_of_a_machine_or_its_network_are_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"],
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(ip_address(address))


def test_an_address_behind_nat64_is_judged_by_the_one_within_it():
    assert is_public(ip_address("64:ff9b::101:101"))
