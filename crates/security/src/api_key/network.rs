//! Networks from which a key may be used.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Not a network: unreadable, or with bits set behind its mask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a network such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct InvalidNetwork;

/// Bits before the IPv4 address in its mapped form, `::ffff:192.0.2.1`.
const MAPPED_BITS: u8 = 96;

/// Reads a network, or a single address. IPv4 networks in their IPv6-mapped form become IPv4 networks.
///
/// # Errors
/// [`InvalidNetwork`], also for bits behind the mask (`192.0.2.1/24`): more likely a slip than meant.
pub fn parse_network(text: &str) -> Result<IpNet, InvalidNetwork> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse().map_err(|_| InvalidNetwork)?,
    };
    if network.trunc() != network {
        return Err(InvalidNetwork);
    }
    Ok(unmapped(network))
}

fn unmapped(network: IpNet) -> IpNet {
    let IpAddr::V4(address) = network.addr().to_canonical() else {
        return network;
    };
    let bits = match network {
        IpNet::V4(_) => return network,
        IpNet::V6(_) => network.prefix_len().checked_sub(MAPPED_BITS),
    };
    bits.and_then(|bits| Ipv4Net::new(address, bits).ok())
        .map_or(network, IpNet::V4)
}

/// Whether the address is in one of the networks. IPv4 addresses may come in their IPv6-mapped form, as sockets
/// for both families give them.
pub(super) fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| parse_network(text).unwrap()).collect()
    }

    #[test]
    fn addresses_are_inside_or_outside() {
        let allowed = networks(&[
            "192.0.2.0/24",
            "198.51.100.7",
            "2001:db8::/32",
            "::ffff:203.0.113.0/120",
        ]);
        for inside in [
            "192.0.2.0",
            "192.0.2.255",
            "::ffff:192.0.2.9",
            "198.51.100.7",
            "2001:db8:ffff::1",
            "203.0.113.5",
            "::ffff:203.0.113.5",
        ] {
            assert!(contains(&allowed, inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "192.0.3.0",
            "198.51.100.8",
            "2001:db9::1",
            "203.0.114.0",
            "::192.0.2.1",
        ] {
            assert!(!contains(&allowed, outside.parse().unwrap()), "{outside}");
        }
        assert!(!contains(&[], "192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn slips_are_no_networks() {
        for text in [
            "",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "192.0.2/24",
            "2001:db8::1/32",
            "example.com",
            "10.0.0.0/-1",
        ] {
            assert_eq!(parse_network(text), Err(InvalidNetwork), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_network_holds_the_addresses_that_share_its_bits(network: u32, address: u32, bits in 0_u32..=32) {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            let text = format!("{}/{bits}", std::net::Ipv4Addr::from(network & mask));
            let expected = network & mask == address & mask;
            let address = std::net::Ipv4Addr::from(address);
            prop_assert_eq!(contains(&networks(&[&text]), address.into()), expected, "{} {}", text, address);
            let mapped = address.to_ipv6_mapped();
            prop_assert_eq!(contains(&networks(&[&text]), mapped.into()), expected, "{} {}", text, mapped);
        }
    }
}
