//! Where Redis is: the forms of `REDIS_URL`. They are split by hand, since a list of hosts is no URL.

use secrecy::SecretString;

/// The port of a server.
const PORT: u16 = 6379;
/// The port of a Sentinel.
const SENTINEL_PORT: u16 = 26379;

/// How the servers stand to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Single,
    /// Sentinels know which server is the master of this name. They are asked without credentials.
    Sentinel(String),
    /// Each server holds a part; the hosts are where the others are asked for.
    Cluster,
}

/// Where Redis is, and who we are there.
#[derive(Debug, Clone)]
pub struct RedisAddress {
    /// How the servers stand to each other.
    pub topology: Topology,
    /// Names or addresses, and ports; at least one.
    pub hosts: Vec<(String, u16)>,
    /// The user, if it is not the default one.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// The number of the database; 0 in a Cluster.
    pub database: i64,
}

impl RedisAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
        if scheme == "rediss" || scheme.starts_with("rediss+") {
            return Err("asks for TLS, which Comanda does not speak to Redis yet".to_owned());
        }
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (topology, port, database) = match scheme {
            "redis" => (Topology::Single, PORT, database(path)?),
            "redis+cluster" if path.is_empty() => (Topology::Cluster, PORT, 0),
            "redis+cluster" => return Err("names a database, and a Cluster has only one".to_owned()),
            "redis+sentinel" => {
                let (name, number) = path.split_once('/').unwrap_or((path, ""));
                if name.is_empty() {
                    return Err(
                        "does not end with /name, the name of the master that its Sentinels watch".to_owned(),
                    );
                }
                (
                    Topology::Sentinel(name.to_owned()),
                    SENTINEL_PORT,
                    database(number)?,
                )
            }
            _ => return Err(form()),
        };
        let hosts = hosts
            .split(',')
            .map(|host| host_and_port(host, port))
            .collect::<Result<Vec<_>, _>>()?;
        if topology == Topology::Single && hosts.len() > 1 {
            return Err("names several hosts: write redis+sentinel:// or redis+cluster://".to_owned());
        }
        let (username, password) = credentials.map_or(Ok((None, None)), user_and_password)?;
        Ok(Self {
            topology,
            hosts,
            username,
            password,
            database,
        })
    }
}

fn form() -> String {
    "is not of the form redis://host:6379, redis+sentinel://host:26379,host:26379/name or \
     redis+cluster://host:6379,host:6379"
        .to_owned()
}

fn database(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = text.parse().ok().filter(|number| (0..=9999).contains(number));
    number.ok_or_else(|| "ends with something that is not the number of a database".to_owned())
}

fn host_and_port(text: &str, default: u16) -> Result<(String, u16), String> {
    let fault = || "has a host that is not of the form name:6379".to_owned();
    // The colons of an address of IPv6 stand in brackets.
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(fault)?;
            (host, port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '/' | '@');
    if host.is_empty() || host.contains(odd) {
        return Err(fault());
    }
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(fault)?,
        None => default,
    };
    Ok((host.to_owned(), port))
}

fn user_and_password(text: &str) -> Result<(Option<String>, Option<SecretString>), String> {
    let fault = || "has credentials that are not of the form user:password, percent-encoded".to_owned();
    let (user, password) = text.split_once(':').ok_or_else(fault)?;
    let user = percent_decoded(user).ok_or_else(fault)?;
    let password = percent_decoded(password).filter(|password| !password.is_empty());
    Ok((
        (!user.is_empty()).then_some(user),
        Some(password.ok_or_else(fault)?.into()),
    ))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let code = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
        bytes.push(u8::try_from(code).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn hosts(text: &str) -> Vec<(String, u16)> {
        RedisAddress::parse(text).unwrap().hosts
    }

    #[test]
    fn every_form_is_read() {
        let single = RedisAddress::parse("redis://cache").unwrap();
        assert_eq!(single.topology, Topology::Single);
        assert_eq!(single.hosts, [("cache".to_owned(), 6379)]);
        assert_eq!((single.username, single.database), (None, 0));
        assert!(single.password.is_none());

        let named = RedisAddress::parse("redis://ana:p%40s%2Fs@10.0.0.7:7000/3").unwrap();
        assert_eq!(named.hosts, [("10.0.0.7".to_owned(), 7000)]);
        assert_eq!((named.username.as_deref(), named.database), (Some("ana"), 3));
        assert_eq!(named.password.unwrap().expose_secret(), "p@s/s");
        let only_password = RedisAddress::parse("redis://:x@cache/").unwrap();
        assert_eq!(only_password.username, None);
        assert_eq!(only_password.password.unwrap().expose_secret(), "x");

        let sentinel = RedisAddress::parse("redis+sentinel://:x@a,b:26380/mymaster/2").unwrap();
        assert_eq!(sentinel.topology, Topology::Sentinel("mymaster".to_owned()));
        assert_eq!(sentinel.hosts, [("a".to_owned(), 26379), ("b".to_owned(), 26380)]);
        assert_eq!(sentinel.database, 2);

        let cluster = RedisAddress::parse("redis+cluster://a:1,[::1]:2,[fe80::1]").unwrap();
        assert_eq!(cluster.topology, Topology::Cluster);
        assert_eq!(
            cluster.hosts,
            [
                ("a".to_owned(), 1),
                ("::1".to_owned(), 2),
                ("fe80::1".to_owned(), 6379)
            ]
        );
        assert_eq!(hosts("redis://[::1]"), [("::1".to_owned(), 6379)]);
    }

    #[test]
    fn everything_else_is_refused_without_repeating_it() {
        for text in [
            "",
            "hunter2",
            "http://hunter2",
            "redis://",
            "redis://a,hunter2",
            "redis://hunter2:0",
            "redis://hunter2:x",
            "redis://hunter2:70000",
            "redis://a/hunter2",
            "redis://a/-1",
            "redis://hunter2@a",
            "redis://hunter2:@a",
            "redis://u:hunter2%4@a",
            "redis://u:hunter2%zz@a",
            "redis://a b",
            "redis://[::1",
            "redis+sentinel://hunter2",
            "redis+sentinel://a,,b/hunter2",
            "redis+cluster://hunter2/1",
            "rediss://hunter2",
            "rediss+cluster://hunter2",
            "redis+proxy://hunter2",
        ] {
            let problem = RedisAddress::parse(text).expect_err(text);
            assert!(!problem.contains("hunter2"), "{text}: {problem}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let address = RedisAddress::parse("redis://ana:hunter2@cache").unwrap();
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}
