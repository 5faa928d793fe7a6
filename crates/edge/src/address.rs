//! Who is at the other end of a connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one household or rack has whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// An address.
    V4(Ipv4Addr),
    /// The first half of an address.
    V6([u8; 8]),
}

impl Prefix {
    /// The prefix that an address belongs to.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let mut prefix = [0; 8];
                prefix.copy_from_slice(&address.octets()[..8]);
                Self::V6(prefix)
            }
        }
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(prefix) => prefix.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Put into every request by the listener: the other end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(pub SocketAddr);

impl Client {
    /// The address on whose behalf a request comes: the other end, or what a trusted proxy there says. Of several
    /// entries the last one counts that no trusted proxy wrote about another.
    pub fn address(self, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
        let is_trusted =
            |address: IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()));
        let mut address = self.0.ip().to_canonical();
        let lines: Vec<_> =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !is_trusted(address) {
                break;
            }
            // What cannot be read cannot be believed: the proxy itself counts then.
            let Ok(before) = entry.trim().parse::<IpAddr>() else { break };
            address = before.to_canonical();
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().expect("a header"));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().expect("a network")).collect();
        Client(SocketAddr::new(peer.parse().expect("an address"), 1)).address(&headers, &trusted).to_string()
    }

    #[test]
    fn no_one_is_believed_unless_trusted() {
        assert_eq!(address("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(address("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn the_last_entry_that_no_proxy_wrote_about_another_counts() {
        assert_eq!(address("10.0.0.2", &["198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        // What the client wrote itself stands further left.
        assert_eq!(
            address("10.0.0.2", &["1.2.3.4, 198.51.100.1, 10.0.0.3"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(address("10.0.0.2", &["1.2.3.4", "198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(address("10.0.0.2", &["nonsense"], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(address("::ffff:10.0.0.2", &["2001:db8::1"], &["10.0.0.0/8"]), "2001:db8::1");
    }

    #[test]
    fn neighbors_in_a_network_of_their_own_are_one_client() {
        let prefix = |text: &str| Prefix::of(text.parse().expect("an address"));
        assert_eq!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:2:ffff::9"));
        assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
        assert_eq!(prefix("::ffff:192.0.2.1"), prefix("192.0.2.1"));
    }
}
