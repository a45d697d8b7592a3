//! Who a request comes from: the peer, or whom a proxy that is trusted names.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Networks whose `X-Forwarded-For` and `Forwarded` are believed. Nobody's are by default: whoever
/// connects could name any address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// What the headers of a request say of who sent it, each as it stands there.
#[derive(Clone, Debug, Default)]
pub struct ForwardedHeaders<'a> {
    /// The values of `X-Forwarded-For`, in order.
    pub x_forwarded_for: Vec<&'a str>,
    /// The values of `Forwarded`, in order.
    pub forwarded: Vec<&'a str>,
}

impl TrustedProxies {
    /// Reads addresses and networks (`10.0.0.0/8`), separated by commas or white space.
    ///
    /// # Errors
    /// One that is neither, as it stands there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
        parts.map(|part| network(part).ok_or_else(|| part.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    /// Who a request comes from: the peer, unless it is a trusted proxy and says for whom it asks.
    ///
    /// Proxies add at the right, so what stands there is theirs and all else the client's own word:
    /// the rightmost address that is no proxy of ours is who asks. Where both headers are there and
    /// differ, one of them was sent by the client and passed on, and nobody can tell which: then it
    /// is the proxy.
    pub fn client(&self, peer: IpAddr, headers: &ForwardedHeaders<'_>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let by_x = self.last_untrusted(peer, headers.x_forwarded_for.iter().rev().flat_map(|value| value.rsplit(',')));
        let named = headers.forwarded.iter().rev().flat_map(|value| value.rsplit(',')).map(for_of);
        let by_forwarded = self.last_untrusted(peer, named);
        match (by_x, by_forwarded) {
            (Some(one), Some(other)) if one != other => peer,
            (found, other) => found.or(other).unwrap_or(peer),
        }
    }

    /// The networks, as they were read.
    pub fn shown(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Whether this is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The first of these, read from the right, that is no proxy of ours; `None`: there are none.
    /// One that is no address hides who is behind it: then it is whoever named it.
    fn last_untrusted<'a>(&self, peer: IpAddr, hops: impl Iterator<Item = &'a str>) -> Option<IpAddr> {
        let mut nearest = None;
        for hop in hops {
            match address(hop) {
                Some(found) if self.trusts(found) => nearest = Some(found),
                Some(found) => return Some(found),
                None => return nearest.or(Some(peer)),
            }
        }
        nearest
    }
}

/// By which requests of one client are counted: an IPv4 address, or an IPv6 network of 64 bits,
/// which is what one customer is given at least and may change its addresses within.
pub fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.map(|network: IpNet| network.trunc())
}

/// The `for` of one element of `Forwarded` (RFC 7239, section 4), without its quotes.
fn for_of(element: &str) -> &str {
    let pair = element.split(';').filter_map(|pair| pair.split_once('='));
    let named = pair.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value.trim()).next();
    named.map_or("", |value| value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value))
}

/// An address with or without a port, in brackets or not.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    found.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Who it is behind the proxies 10.0.0.0/8 and 2001:db8:1::/48.
    fn client(peer: &str, x: &[&str], forwarded: &[&str]) -> String {
        let proxies = TrustedProxies::parse("10.0.0.0/8, 2001:db8:1::/48").unwrap();
        let headers = ForwardedHeaders { x_forwarded_for: x.to_vec(), forwarded: forwarded.to_vec() };
        proxies.client(ip(peer), &headers).to_string()
    }

    #[test]
    fn only_proxies_are_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"], &[]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7"], &[]), "198.51.100.7", "one address, mapped");
        assert_eq!(client("10.0.0.1", &[], &[]), "10.0.0.1");
    }

    #[test]
    fn the_rightmost_that_is_no_proxy_counts() {
        assert_eq!(client("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.2.3.4"], &[]), "198.51.100.7");
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9", "198.51.100.7"], &[]),
            "198.51.100.7",
            "the last header is last"
        );
        assert_eq!(client("10.0.0.1", &["10.9.9.9, 10.2.3.4"], &[]), "10.9.9.9", "a client within the network");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, unknown, 10.2.3.4"], &[]), "10.2.3.4", "hidden behind it");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, "], &[]), "10.0.0.1");
    }

    #[test]
    fn both_headers_and_all_forms_are_read() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7:4711"], &[]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8:2::7]:4711"], &[]), "2001:db8:2::7");
        let chain = "for=203.0.113.9, For=\"[2001:db8:2::7]:4711\";proto=https;by=10.0.0.1, for=10.2.3.4";
        assert_eq!(client("2001:db8:1::5", &[], &[chain]), "2001:db8:2::7");
        assert_eq!(client("10.0.0.1", &[], &["for=_hidden"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"], &["for=198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"], &["for=203.0.113.9"]), "10.0.0.1", "one of them is made up");
    }

    #[test]
    fn what_is_no_network_is_named() {
        assert_eq!(
            TrustedProxies::parse("127.0.0.1 ::1,10.1.2.3/8").unwrap().shown(),
            "127.0.0.1/32, ::1/128, 10.0.0.0/8"
        );
        assert_eq!(TrustedProxies::parse("10.0.0.0/8, proxy.example"), Err("proxy.example".to_owned()));
        assert_eq!(TrustedProxies::parse("10.0.0.0/40"), Err("10.0.0.0/40".to_owned()));
        assert_eq!(TrustedProxies::parse(" "), Ok(TrustedProxies::default()));
    }

    #[test]
    fn an_ipv6_customer_is_one() {
        assert_eq!(group(ip("2001:db8:2:3:4:5:6:7")), ip("2001:db8:2:3::"));
        assert_eq!(group(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert_eq!(group(ip("192.0.2.1")), ip("192.0.2.1"));
    }
}
