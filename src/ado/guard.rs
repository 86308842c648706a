//! Which hosts and addresses a request may go to (the trust boundary of organization URLs).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::Host;

use super::service::{InvalidHost, ServiceHost};

/// The cloud hosts of the service areas; `{organization}.visualstudio.com` comes on top of these.
const CLOUD_HOSTS: [&str; 5] =
    ["dev.azure.com", "analytics.dev.azure.com", "vsaex.dev.azure.com", "vssps.dev.azure.com", "vstmr.dev.azure.com"];

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 blocks that are not globally reachable by the IANA IPv4 Special-Purpose Address Registry, multicast
/// (224.0.0.0/4), and the address under which Azure offers its host's services to virtual machines.
const NOT_GLOBAL_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private use
    v4(100, 64, 0, 0, 10),    // shared address space
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // Azure platform services
    v4(169, 254, 0, 0, 16),   // link-local, metadata services
    v4(172, 16, 0, 0, 12),    // private use
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // former 6to4 relays
    v4(192, 168, 0, 0, 16),   // private use
    v4(198, 18, 0, 0, 15),    // benchmarking
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, broadcast
];

/// The only IPv6 block from which global unicast addresses are assigned.
const GLOBAL_UNICAST_V6: Ipv6Net = v6(0x2000, 0, 0, 3);
/// The well-known NAT64 prefix: as reachable as the IPv4 address in its last 32 bits (RFC 6052).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
/// Blocks within [`GLOBAL_UNICAST_V6`] that are not globally reachable by the IANA IPv6 Special-Purpose Address
/// Registry. 6to4 is refused whole: it is deprecated (RFC 7526), and what it embeds would have to be judged as well.
const NOT_GLOBAL_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 0, 23),     // protocol assignments: Teredo, benchmarking, ORCHID
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x2002, 0, 0, 16),     // 6to4
    v6(0x3fff, 0, 0, 20),     // documentation
];

const PRIVATE_V4: [Ipv4Net; 3] = [v4(10, 0, 0, 0, 8), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16)];
const UNIQUE_LOCAL_V6: Ipv6Net = v6(0xfc00, 0, 0, 7);
/// Metadata services that clouds placed into unique local addresses: AWS (`fd00:ec2::254`) and Google Cloud
/// (`fd20:ce::254`).
const METADATA_V6: [Ipv6Net; 2] = [v6(0xfd00, 0xec2, 0, 32), v6(0xfd20, 0xce, 0, 32)];

/// Whether the address can be reached from anywhere on the Internet, by the IANA special-purpose registries.
///
/// An IPv6 address that embeds an IPv4 address is never more reachable than that; IPv4-mapped, 6to4 and Teredo
/// addresses and the local-use NAT64 prefix `64:ff9b:1::/48` are not reachable at all.
#[must_use]
pub fn is_globally_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_GLOBAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_globally_reachable(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
        }
        IpAddr::V6(address) => {
            GLOBAL_UNICAST_V6.contains(&address) && !NOT_GLOBAL_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// RFC 1918 and unique local addresses, metadata services excepted.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => PRIVATE_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            UNIQUE_LOCAL_V6.contains(&address) && !METADATA_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// A host that the administrator permits besides the cloud's (`--allowed-host NAME[:PORT]`; the port is 443 if left
/// out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost(ServiceHost);

impl AllowedHost {
    /// Reads `NAME[:PORT]`; an IPv6 address stands in brackets.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        ServiceHost::parse(text).map(Self)
    }
}

impl From<ServiceHost> for AllowedHost {
    fn from(host: ServiceHost) -> Self {
        Self(host)
    }
}

impl std::str::FromStr for AllowedHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        Self::parse(text)
    }
}

/// Why a request may not be sent to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host, or this port of it, is neither a cloud host nor permitted by the administrator.
    #[error("the host is not permitted")]
    DisallowedHost,
    /// The address, or every address of the name, is one that the policy does not permit.
    #[error("the host's address is not permitted")]
    PrivateAddress,
}

/// The hosts and addresses that requests may go to: the cloud's, and those that the administrator added.
#[derive(Debug, Clone, Default)]
pub struct HostPolicy {
    allowed: Vec<AllowedHost>,
}

impl HostPolicy {
    /// A policy that permits the cloud hosts and `allowed`.
    #[must_use]
    pub fn new(allowed: Vec<AllowedHost>) -> Self {
        Self { allowed }
    }

    /// Judges a host before anything is sent or resolved; an address literal is judged at once, since it never reaches
    /// the resolver.
    pub fn check(&self, host: &Host<String>, port: u16) -> Result<(), Refusal> {
        let given = self.allowed.iter().any(|allowed| allowed.0.port == port && same_host(&allowed.0.host, host));
        let cloud = port == 443 && is_cloud_host(host);
        if !(given || cloud) {
            return Err(Refusal::DisallowedHost);
        }
        match host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(address) => self.check_address(host, IpAddr::V4(*address)),
            Host::Ipv6(address) => self.check_address(host, IpAddr::V6(*address)),
        }
    }

    fn check_address(&self, host: &Host<String>, address: IpAddr) -> Result<(), Refusal> {
        if self.permits(host, address) { Ok(()) } else { Err(Refusal::PrivateAddress) }
    }

    /// Whether a connection for `host` may be made to `address`. Names given by the administrator may also have private
    /// addresses, and loopback ones if the name is `localhost` or the literal itself.
    #[must_use]
    pub fn permits(&self, host: &Host<String>, address: IpAddr) -> bool {
        if is_globally_reachable(address) {
            return true;
        }
        let given = self.allowed.iter().any(|allowed| same_host(&allowed.0.host, host));
        given && (is_private(address) || (address.is_loopback() && is_loopback_name(host)))
    }
}

fn same_host(a: &Host<String>, b: &Host<String>) -> bool {
    match (a, b) {
        (Host::Domain(a), Host::Domain(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}

fn is_loopback_name(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_cloud_host(host: &Host<String>) -> bool {
    let Host::Domain(name) = host else { return false };
    let name = name.to_ascii_lowercase();
    let is_organization = |label: &str| !label.is_empty() && !label.contains('.');
    CLOUD_HOSTS.contains(&name.as_str()) || name.strip_suffix(".visualstudio.com").is_some_and(is_organization)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text} is an address"))
    }

    fn host(text: &str) -> Host<String> {
        Host::parse(text).unwrap_or_else(|_| panic!("{text} is a host"))
    }

    fn policy(allowed: &[&str]) -> HostPolicy {
        HostPolicy::new(allowed.iter().map(|text| AllowedHost::parse(text).expect("valid")).collect())
    }

    #[test]
    fn addresses_of_the_special_registries_are_not_globally_reachable() {
        for text in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:169.254.169.254",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::168.63.129.16",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_globally_reachable(address(text)), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_globally_reachable() {
        for text in [
            "8.8.8.8",
            "13.107.6.175",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2620:1ec:a92::175",
            "2a01:111::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_globally_reachable(address(text)), "{text}");
        }
    }

    #[test]
    fn only_cloud_hosts_at_443_and_given_hosts_are_permitted() {
        let policy = policy(&["tfs.example.com", "build.example.com:8443"]);
        for (name, port) in [
            ("dev.azure.com", 443),
            ("analytics.dev.azure.com", 443),
            ("vsaex.dev.azure.com", 443),
            ("vssps.dev.azure.com", 443),
            ("contoso.visualstudio.com", 443),
            ("tfs.example.com", 443),
            ("TFS.example.com", 443),
            ("build.example.com", 8443),
        ] {
            assert_eq!(policy.check(&host(name), port), Ok(()), "{name}:{port}");
        }
        for (name, port) in [
            ("dev.azure.com", 8443),
            ("evil.dev.azure.com", 443),
            ("dev.azure.com.evil.com", 443),
            ("xdev.azure.com", 443),
            ("a.b.visualstudio.com", 443),
            ("visualstudio.com", 443),
            ("evilvisualstudio.com", 443),
            ("contoso.visualstudio.com", 80),
            ("tfs.example.com", 8443),
            ("build.example.com", 443),
            ("x.tfs.example.com", 443),
            ("localhost", 443),
            ("8.8.8.8", 443),
            ("10.0.0.1", 443),
            ("[::1]", 443),
        ] {
            assert_eq!(policy.check(&host(name), port), Err(Refusal::DisallowedHost), "{name}:{port}");
        }
    }

    #[test]
    fn a_given_address_literal_is_judged_when_the_url_is_read() {
        let policy = policy(&[
            "10.0.0.5",
            "127.0.0.1:8443",
            "[::1]:8443",
            "169.254.169.254",
            "168.63.129.16",
            "[fe80::1]",
            "[::ffff:10.0.0.5]",
        ]);
        assert_eq!(policy.check(&host("10.0.0.5"), 443), Ok(()));
        assert_eq!(policy.check(&host("127.0.0.1"), 8443), Ok(()));
        assert_eq!(policy.check(&host("[::1]"), 8443), Ok(()));
        for name in ["169.254.169.254", "168.63.129.16", "[fe80::1]", "[::ffff:10.0.0.5]"] {
            assert_eq!(policy.check(&host(name), 443), Err(Refusal::PrivateAddress), "{name}");
        }
    }

    #[test]
    fn names_resolve_to_private_addresses_only_if_the_administrator_gave_them() {
        let policy = policy(&["tfs.example.com", "localhost:8443"]);
        let permits = |name: &str, text: &str| policy.permits(&host(name), address(text));
        assert!(permits("dev.azure.com", "13.107.6.175"));
        assert!(!permits("dev.azure.com", "10.0.0.1"));
        assert!(!permits("contoso.visualstudio.com", "127.0.0.1"));
        for text in ["10.1.2.3", "172.20.0.1", "192.168.1.1", "fd12:3456::1", "20.1.1.1"] {
            assert!(permits("tfs.example.com", text), "{text}");
        }
        for text in [
            "127.0.0.1",
            "::1",
            "169.254.169.254",
            "fe80::1",
            "100.64.0.1",
            "fd00:ec2::254",
            "168.63.129.16",
            "::ffff:10.0.0.1",
        ] {
            assert!(!permits("tfs.example.com", text), "{text}");
        }
        assert!(permits("localhost", "127.0.0.1") && permits("localhost", "::1"));
        assert!(!permits("localhost", "169.254.169.254"));
    }
}
