//! What a client's address counts as, wherever something is limited by address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the first 64 bits of an IPv6 address: a network of one customer, who has all its addresses. An IPv4
/// address that is written as an IPv6 one is itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(IpAddr);

impl ClientKey {
    /// Takes a source address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Ipv6Addr::from(network).into()
            }
        })
    }

    /// Takes an address as text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::of)
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_client_and_ipv4_is_ipv4_however_it_is_written() {
        let key = |text: &str| ClientKey::parse(text).unwrap();
        for (one, other, are_same) in [
            ("2001:db8:7:1::1", "2001:db8:7:1:ffff:ffff:ffff:ffff", true),
            ("2001:db8:7:1::1", "2001:db8:7:2::1", false),
            ("fe80::1", "fe80::2", true),
            ("::ffff:198.51.100.7", "198.51.100.7", true),
            ("::ffff:198.51.100.7", "::ffff:198.51.100.8", false),
            ("198.51.100.7", "198.51.100.8", false),
            ("::1", "127.0.0.1", false),
        ] {
            assert_eq!(key(one) == key(other), are_same, "{one} {other}");
            assert_eq!(key(one).to_string() == key(other).to_string(), are_same, "{one} {other}");
        }
        assert_eq!(key("2001:DB8:0:9::5").to_string(), "2001:db8:0:9::");
        for none in ["", "somewhere", "192.0.2.1:80", "[2001:db8::1]", "1.2.3"] {
            assert_eq!(ClientKey::parse(none), None, "{none}");
        }
    }
}
