//! Addresses that users give us to call: the judging half of the guard against requests to our own network.
//!
//! [`OutboundUrl::judge`] looks at the text, [`OutboundUrl::judge_resolved`] at what its host resolved to. Both are
//! needed, at registration and at each call; the caller connects to the very addresses that were judged and follows
//! no redirect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Longest URL, in bytes.
pub const URL_MAX: usize = 2048;

const HTTPS_PORT: u16 = 443;

/// What is allowed where.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AddressPolicy<'a> {
    /// Whether plain http to this very machine, at any port, is allowed: in development and tests.
    pub loopback_http: bool,
    /// Ports allowed for https besides 443.
    pub ports: &'a [u16],
    /// The only hosts allowed, if there is a list; an empty one allows nothing. Names and addresses in any spelling;
    /// a name does not stand for the names below it.
    pub hosts: Option<&'a [String]>,
}

/// Why an address is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum AddressRefusal {
    /// More than [`URL_MAX`] bytes.
    #[error("longer than {URL_MAX} characters")]
    TooLong,
    /// Not a URL, or one without a host.
    #[error("not a URL")]
    Malformed,
    /// Not https.
    #[error("only https is allowed")]
    Scheme,
    /// A user name or password in the URL.
    #[error("user names and passwords are not allowed")]
    UserInfo,
    /// A fragment, which is never sent.
    #[error("fragments are not allowed")]
    Fragment,
    /// Another port than 443.
    #[error("the port is not allowed")]
    Port,
    /// A host that is not on the list.
    #[error("the host is not on the list")]
    Host,
    /// The name resolved to nothing.
    #[error("the host has no address")]
    NoAddress,
    /// An address, or one of several, that is not reachable from everywhere.
    #[error("the host is not on the public Internet")]
    NotPublic,
}

/// A URL that may be called, if its host resolves to allowed addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboundUrl {
    url: Url,
    host: Host<String>,
    port: u16,
    /// Plain http: to this machine or not at all.
    loopback_only: bool,
}

impl OutboundUrl {
    /// Reads a URL as browsers do (WHATWG), whatever spelling it hides behind, and judges all that can be seen in
    /// the text. A host that is an address is judged here already.
    ///
    /// # Errors
    /// [`AddressRefusal`] says why not.
    pub fn judge(text: &str, policy: &AddressPolicy<'_>) -> Result<Self, AddressRefusal> {
        if text.len() > URL_MAX {
            return Err(AddressRefusal::TooLong);
        }
        let url = Url::parse(text).map_err(|_| AddressRefusal::Malformed)?;
        // Escaping can make it longer.
        if url.as_str().len() > URL_MAX {
            return Err(AddressRefusal::TooLong);
        }
        let loopback_only = match url.scheme() {
            "https" => false,
            "http" if policy.loopback_http => true,
            _ => return Err(AddressRefusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressRefusal::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(AddressRefusal::Fragment);
        }
        let port = url.port_or_known_default().ok_or(AddressRefusal::Port)?;
        if !loopback_only && port != HTTPS_PORT && !policy.ports.contains(&port) {
            return Err(AddressRefusal::Port);
        }
        let host = url.host().ok_or(AddressRefusal::Malformed)?.to_owned();
        if !policy.hosts.is_none_or(|hosts| is_listed(&host, hosts)) {
            return Err(AddressRefusal::Host);
        }
        let judged = Self {
            url,
            host,
            port,
            loopback_only,
        };
        judged
            .address()
            .map_or(Ok(()), |address| judged.judge_address(address))?;
        Ok(judged)
    }

    /// Judges what the host resolved to: every address must be allowed, not only the one that would be called.
    ///
    /// # Errors
    /// [`AddressRefusal::NotPublic`], or [`AddressRefusal::NoAddress`] if there is none.
    pub fn judge_resolved(&self, addresses: &[IpAddr]) -> Result<(), AddressRefusal> {
        if addresses.is_empty() {
            return Err(AddressRefusal::NoAddress);
        }
        addresses
            .iter()
            .try_for_each(|address| self.judge_address(*address))
    }

    fn judge_address(&self, address: IpAddr) -> Result<(), AddressRefusal> {
        let allowed = if self.loopback_only {
            address.is_loopback()
        } else {
            is_globally_routable(address)
        };
        allowed.then_some(()).ok_or(AddressRefusal::NotPublic)
    }

    /// The URL in its one spelling, to be stored and called.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host to resolve, and to name in TLS and `Host`: a name in its ASCII form, or an address.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The host's address, if it is one; then there is nothing to resolve.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether to speak TLS; not only for plain http to this machine.
    pub fn is_https(&self) -> bool {
        !self.loopback_only
    }
}

fn is_listed(host: &Host<String>, hosts: &[String]) -> bool {
    hosts
        .iter()
        .filter_map(|listed| Host::parse(listed.trim()).ok())
        .any(|listed| without_root(&listed) == without_root(host))
}

/// A name with the dot of the root behind it is the same name.
fn without_root(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(name)),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

/// Whether an address belongs to one machine on the public Internet: not ours, not a neighbour's, not several, not
/// an example and not another address in disguise.
pub fn is_globally_routable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_UNICAST.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, c: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// IANA's special-purpose addresses, and the metadata services outside them.
const SPECIAL_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // shared by providers; a metadata service at 100.100.100.200
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // a metadata service
    v4(169, 254, 0, 0, 16),   // link-local; the usual metadata service
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments; a metadata service at 192.0.0.192
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // relays of 6to4
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved; broadcast
];

/// All of IPv6 that is given out for single machines. Outside are, among others, unspecified, loopback, IPv4-mapped,
/// IPv4-compatible and IPv4-translated (also `64:ff9b::/96`), discard-only, unique-local (with metadata services),
/// link-local, site-local and multicast addresses.
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What in it is special.
const SPECIAL_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 0, 23),     // protocol assignments: Teredo, benchmarks, ORCHID
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x2002, 0, 0, 16),     // 6to4: an IPv4 address inside
    v6(0x3fff, 0, 0, 20),     // documentation
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRICT: AddressPolicy<'static> = AddressPolicy {
        loopback_http: false,
        ports: &[],
        hosts: None,
    };
    const DEVELOPMENT: AddressPolicy<'static> = AddressPolicy {
        loopback_http: true,
        ..STRICT
    };

    fn judge(text: &str, policy: &AddressPolicy<'_>) -> Result<String, AddressRefusal> {
        OutboundUrl::judge(text, policy).map(|url| url.as_str().to_owned())
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn ordinary_addresses_are_taken() {
        for (text, spelt) in [
            ("https://example.com/hook", "https://example.com/hook"),
            ("HTTPS://EXAMPLE.com:443/a?b=c", "https://example.com/a?b=c"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            (
                "https://[2606:4700:4700::1111]/",
                "https://[2606:4700:4700::1111]/",
            ),
            ("https://134744072/", "https://8.8.8.8/"),
        ] {
            assert_eq!(judge(text, &STRICT), Ok(spelt.to_owned()), "{text}");
        }
        let url = OutboundUrl::judge("https://Example.com/hook", &STRICT).unwrap();
        assert_eq!(
            (url.host(), url.port(), url.is_https()),
            ("example.com", 443, true)
        );
        assert_eq!(url.address(), None);
    }

    #[test]
    fn every_spelling_of_an_inner_address_is_refused() {
        for text in [
            // loopback
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0X7F.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://00000177.1/",
            "https://127.0.0.1./",
            "https://127.255.255.254/",
            "https://%31%32%37.0.0.1/",
            "https://127%2e0%2e0%2e1/",
            "https://①②⑦.⓪.⓪.①/",
            "https://１２７.０.０.１/",
            "https://127。0。0。1/",
            "https:127.0.0.1/",
            "https:/127.0.0.1/",
            "https:\\\\127.0.0.1\\",
            "  https://127.0.0.1/\n",
            "ht\ttps://127.0.\n0.1/",
            "https://[::1]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[0:0:0:0:0:ffff:7f00:0001]/",
            "https://[::127.0.0.1]/",
            "https://[::ffff:0:127.0.0.1]/",
            "https://[64:ff9b::127.0.0.1]/",
            "https://[64:ff9b:1::7f00:1]/",
            "https://[2002:7f00:1::]/",
            // unspecified
            "https://0/",
            "https://0.0.0.0/",
            "https://[::]/",
            // metadata
            "https://169.254.169.254/latest/meta-data/",
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://169.254.43518/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[fd00:ec2::254]/",
            "https://100.100.100.200/",
            "https://168.63.129.16/",
            "https://192.0.0.192/",
            // neighbours
            "https://10.0.0.1/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://[fe80::1]/",
            "https://[fec0::1]/",
            "https://[fc00::1]/",
            // others
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[ff02::1]/",
            "https://[2001:db8::1]/",
            "https://[2001:0:1::1]/",
            "https://[3fff::1]/",
            "https://[100::1]/",
        ] {
            for policy in [&STRICT, &DEVELOPMENT] {
                assert_eq!(judge(text, policy), Err(AddressRefusal::NotPublic), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_host_is_malformed() {
        for text in [
            "",
            "example.com/hook",
            "https://",
            "https:///",
            "https://256.0.0.1/",
            "https://127.0.0.0.1/",
            "https://0x100000000/",
            "https://1.2.3.09/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://exa mple.com/",
            "https://example.com:99999/",
            "https://a%00b/",
        ] {
            assert_eq!(judge(text, &STRICT), Err(AddressRefusal::Malformed), "{text}");
        }
    }

    #[test]
    fn schemes_user_info_fragments_ports_and_lengths() {
        let long = format!("https://example.com/{}", "a".repeat(URL_MAX));
        let growing = format!("https://example.com/{}", "é".repeat(800));
        for (text, refusal) in [
            ("http://example.com/", AddressRefusal::Scheme),
            ("ftp://example.com/", AddressRefusal::Scheme),
            ("file:///etc/passwd", AddressRefusal::Scheme),
            ("gopher://127.0.0.1:6379/", AddressRefusal::Scheme),
            ("data:text/plain,x", AddressRefusal::Scheme),
            ("https://user@example.com/", AddressRefusal::UserInfo),
            ("https://user:secret@example.com/", AddressRefusal::UserInfo),
            ("https://:secret@example.com/", AddressRefusal::UserInfo),
            ("https://example.com@127.0.0.1/", AddressRefusal::UserInfo),
            ("https://example.com/#x", AddressRefusal::Fragment),
            ("https://example.com/#", AddressRefusal::Fragment),
            ("https://example.com:8443/", AddressRefusal::Port),
            ("https://example.com:80/", AddressRefusal::Port),
            ("https://example.com:0/", AddressRefusal::Port),
            (&long, AddressRefusal::TooLong),
            (&growing, AddressRefusal::TooLong),
        ] {
            assert_eq!(judge(text, &STRICT), Err(refusal), "{text}");
        }
        let ports = AddressPolicy {
            ports: &[8443],
            ..STRICT
        };
        assert!(judge("https://example.com:8443/", &ports).is_ok());
        assert_eq!(
            judge("https://example.com:8444/", &ports),
            Err(AddressRefusal::Port)
        );
        let longest = format!("https://example.com/{}", "a".repeat(URL_MAX - 20));
        assert_eq!(judge(&longest, &STRICT), Ok(longest));
    }

    #[test]
    fn a_list_of_hosts_is_the_whole_list() {
        let hosts = [
            "Example.com".to_owned(),
            "bücher.example".to_owned(),
            "8.8.8.8".to_owned(),
        ];
        let listed = AddressPolicy {
            hosts: Some(&hosts),
            ..STRICT
        };
        for text in [
            "https://example.com/",
            "https://EXAMPLE.COM./",
            "https://xn--bcher-kva.example/",
            "https://0x08080808/",
        ] {
            assert!(judge(text, &listed).is_ok(), "{text}");
        }
        for text in [
            "https://www.example.com/",
            "https://example.com.evil.example/",
            "https://notexample.com/",
            "https://8.8.4.4/",
        ] {
            assert_eq!(judge(text, &listed), Err(AddressRefusal::Host), "{text}");
        }
        let none = AddressPolicy {
            hosts: Some(&[]),
            ..STRICT
        };
        assert_eq!(judge("https://example.com/", &none), Err(AddressRefusal::Host));
        // Being listed opens no inner address.
        let inner = ["127.0.0.1".to_owned()];
        let inner = AddressPolicy {
            hosts: Some(&inner),
            ..STRICT
        };
        assert_eq!(
            judge("https://127.0.0.1/", &inner),
            Err(AddressRefusal::NotPublic)
        );
    }

    #[test]
    fn plain_http_reaches_this_machine_in_development_only() {
        for text in [
            "http://127.0.0.1:8080/",
            "http://[::1]:9000/",
            "http://2130706433/",
        ] {
            assert_eq!(judge(text, &STRICT), Err(AddressRefusal::Scheme), "{text}");
            let url = OutboundUrl::judge(text, &DEVELOPMENT).unwrap();
            assert!(!url.is_https(), "{text}");
        }
        for text in ["http://8.8.8.8/", "http://10.0.0.1/", "http://169.254.169.254/"] {
            assert_eq!(
                judge(text, &DEVELOPMENT),
                Err(AddressRefusal::NotPublic),
                "{text}"
            );
        }
        let local = OutboundUrl::judge("http://localhost:8080/", &DEVELOPMENT).unwrap();
        assert_eq!(local.judge_resolved(&ips(&["127.0.0.1", "::1"])), Ok(()));
        assert_eq!(
            local.judge_resolved(&ips(&["127.0.0.1", "8.8.8.8"])),
            Err(AddressRefusal::NotPublic)
        );
    }

    #[test]
    fn one_bad_address_spoils_the_name() {
        let url = OutboundUrl::judge("https://example.com/", &DEVELOPMENT).unwrap();
        assert_eq!(url.judge_resolved(&ips(&["8.8.8.8", "2606:4700::1111"])), Ok(()));
        assert_eq!(url.judge_resolved(&[]), Err(AddressRefusal::NoAddress));
        for bad in ["127.0.0.1", "10.0.0.1", "::ffff:8.8.8.8", "fd00::1"] {
            for order in [["8.8.8.8", bad], [bad, "8.8.8.8"]] {
                assert_eq!(
                    url.judge_resolved(&ips(&order)),
                    Err(AddressRefusal::NotPublic),
                    "{order:?}"
                );
            }
        }
    }

    #[test]
    fn networks_end_where_they_end() {
        for public in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::",
            "3ffe:ffff::",
            "3fff:1000::",
            "2a00::1",
        ] {
            assert!(is_globally_routable(public.parse().unwrap()), "{public}");
        }
        for special in [
            "0.255.255.255",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.255.255.255",
            "169.254.0.0",
            "172.16.0.0",
            "192.0.0.255",
            "192.0.2.255",
            "192.88.99.1",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.255",
            "203.0.113.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "1fff::",
            "4000::",
            "2001::",
            "2001:1ff:ffff::",
            "2001:2::1",
            "2001:10::",
            "2001:db8:ffff::",
            "2002::",
            "2002:808:808::",
            "3fff:fff::",
            "5f00::1",
            "::8.8.8.8",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(!is_globally_routable(special.parse().unwrap()), "{special}");
        }
    }

    /// What the standard library knows of special addresses, as a second opinion.
    fn is_special_for_std(address: Ipv4Addr) -> bool {
        address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_multicast()
            || address.is_broadcast()
            || address.is_documentation()
            || address.is_unspecified()
    }

    /// Addresses, half of them in or next to a special network.
    fn any_v4() -> impl Strategy<Value = Ipv4Addr> {
        let near = (prop::sample::select(SPECIAL_V4.to_vec()), any::<u16>()).prop_map(|(network, offset)| {
            let first = u32::from(network.network());
            Ipv4Addr::from(first.wrapping_add(u32::from(offset)).wrapping_sub(256))
        });
        prop_oneof![any::<u32>().prop_map(Ipv4Addr::from), near]
    }

    proptest! {
        #[test]
        fn all_spellings_of_an_address_are_judged_alike(address in any_v4()) {
            let [a, b, c, d] = address.octets();
            let number = u32::from(address);
            let (tail, pair) = (number & 0xff_ffff, number & 0xffff);
            let expected = is_globally_routable(address.into());
            for host in [
                format!("{number}"),
                format!("{number:#x}"),
                format!("0{number:o}"),
                format!("{a}.{tail}"),
                format!("{a:#x}.0{b:o}.{pair}"),
                format!("0{a:o}.{b:#x}.{c}.{d}"),
                format!("{a}.{b}.{c}.{d}."),
            ] {
                let text = format!("https://{host}/");
                let judged = OutboundUrl::judge(&text, &STRICT);
                prop_assert_eq!(judged.is_ok(), expected, "{} as {}", address, &text);
                if let Ok(url) = judged {
                    prop_assert_eq!(url.address(), Some(IpAddr::V4(address)));
                }
            }
        }

        #[test]
        fn what_the_standard_library_calls_special_is_refused(address in any_v4()) {
            if is_special_for_std(address) {
                prop_assert!(!is_globally_routable(address.into()), "{}", address);
            }
        }

        #[test]
        fn no_ipv4_address_passes_in_disguise(address in any_v4()) {
            let [a, b, c, d] = address.octets().map(u16::from);
            let (high, low) = (a * 256 + b, c * 256 + d);
            for disguise in [
                address.to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
            ] {
                prop_assert!(!is_globally_routable(disguise.into()), "{}", disguise);
                let url = format!("https://[{disguise}]/");
                prop_assert_eq!(judge(&url, &STRICT), Err(AddressRefusal::NotPublic), "{}", url);
            }
        }

        #[test]
        fn ipv6_outside_what_is_given_out_is_refused(bits: u128) {
            let address = Ipv6Addr::from(bits);
            if bits >> 125 != 1 {
                prop_assert!(!is_globally_routable(address.into()), "{}", address);
            }
        }

        #[test]
        fn what_is_taken_is_taken_again_as_it_is_written(text in "https://[a-zA-Z0-9.:@/?#\\[\\]%\\\\ -]{1,30}|\\PC{0,40}") {
            if let Ok(url) = OutboundUrl::judge(&text, &STRICT) {
                let again = OutboundUrl::judge(url.as_str(), &STRICT);
                prop_assert_eq!(again.as_ref(), Ok(&url));
                prop_assert!(url.is_https() && url.port() == 443 && !url.host().is_empty(), "{:?}", url);
            }
        }
    }
}
