//! How the values of settings read.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::reader::Reader;
use super::{LogFormat, Setting, settings};

/// Longest name of a process.
const NAME_MAX: usize = 63;

/// `500ms`, `30s`, `15m`, `72h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let fault = || format!("{text:?} is not a duration such as 500ms, 30s, 15m or 72h");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| fault())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(fault()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(fault)
}

/// A whole number within bounds.
pub(super) fn count<T: FromStr + PartialOrd + Display>(
    text: &str,
    bounds: RangeInclusive<T>,
) -> Result<T, String> {
    match text.parse() {
        Ok(number) if bounds.contains(&number) => Ok(number),
        _ => Err(format!(
            "{text:?} is not a number from {} to {}",
            bounds.start(),
            bounds.end()
        )),
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not an address and port such as 127.0.0.1:8080"))
}

pub(super) fn http_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.trim_end_matches('/'));
    let odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@' | '"' | '<' | '>' | '\\')
    };
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') && !host.contains(odd) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(format!(
            "{text:?} is not an address such as https://comanda.example"
        )),
    }
}

/// A login of PostgreSQL. What is wrong with it is told without repeating it.
pub(super) fn database_url(text: &str) -> Result<(), String> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err("is not of the form postgres://user:password@host/database".to_owned());
    }
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let mode = query.split('&').find_map(|pair| pair.strip_prefix("sslmode="));
    match mode {
        None | Some("disable" | "prefer") => Ok(()),
        Some(_) => Err(
            "asks for TLS (sslmode), which Comanda does not speak to PostgreSQL yet: it would connect \
                        in the clear"
                .to_owned(),
        ),
    }
}

/// Days that events may be kept at most.
const RETENTION_DAYS: u64 = 90;

pub(super) fn retention(text: &str) -> Result<Duration, String> {
    let kept = duration(text)?;
    let most = Duration::from_secs(RETENTION_DAYS * 24 * 3600);
    if kept < Duration::from_hours(1) || kept > most {
        return Err(format!("{text:?} is not between 1h and {}h", RETENTION_DAYS * 24));
    }
    Ok(kept)
}

/// A duration between two others.
pub(super) fn duration_within(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration < least || duration > most {
        return Err(format!("{text:?} is not between {least:?} and {most:?}"));
    }
    Ok(duration)
}

pub(super) fn name(text: &str) -> Result<String, String> {
    let usable = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':');
    if text.len() <= NAME_MAX && text.bytes().all(usable) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is not a name of at most {NAME_MAX} characters A-Z a-z 0-9 . _ - :"
        ))
    }
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{text:?} is not a filter ({error})")),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        _ => Err(format!("{text:?} is neither json nor pretty")),
    }
}

/// A file or folder; whether it is there is for whoever uses it.
pub(super) fn path(reader: &mut Reader<'_>, setting: &Setting) -> Option<PathBuf> {
    reader.parsed(setting, |text| Ok(PathBuf::from(text)))
}

/// As set, else the XDG data folder; root's home is closed to the account that runs the embedded cluster.
pub(super) fn data_dir(reader: &mut Reader<'_>) -> Option<PathBuf> {
    if reader.is_given(&settings::DATA_DIR) {
        return path(reader, &settings::DATA_DIR);
    }
    reader.asked.insert(settings::DATA_DIR.name);
    let home = |name, below| reader.system(name).map(|home| Path::new(home).join(below));
    let home = home("XDG_DATA_HOME", "comanda").or_else(|| home("HOME", ".local/share/comanda"));
    if home.is_none() {
        let hint = "neither XDG_DATA_HOME nor HOME says where data belongs: set a folder";
        reader.missing(&settings::DATA_DIR, hint);
    }
    Some(reader.files.reachable(home?, PathBuf::from("/var/lib/comanda")))
}

/// One thread per core.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Host name and process id.
pub(super) fn instance(reader: &Reader<'_>) -> String {
    let file = reader.files.read(Path::new("/etc/hostname")).ok();
    let host = reader
        .system("HOSTNAME")
        .map(str::to_owned)
        .or(file)
        .unwrap_or_default();
    let host: String = host
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .take(40)
        .collect();
    let host = if host.is_empty() { "comanda" } else { &host };
    format!("{host}-{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_four_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("15m", 900_000),
            ("72h", 259_200_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "1 s",
            "1d",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_of_clients_lose_their_slash() {
        assert_eq!(http_url("https://a.example/"), Ok("https://a.example".to_owned()));
        assert_eq!(
            http_url("http://localhost:8080/x/"),
            Ok("http://localhost:8080/x".to_owned())
        );
        for text in [
            "",
            "a.example",
            "ftp://a",
            "https://",
            "https:///x",
            "https://a/?x",
            "https://a b",
            "https://u@h",
        ] {
            assert!(http_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn logins_that_want_tls_are_refused_without_being_repeated() {
        for good in [
            "postgres://a:b@h/d",
            "postgresql://h/d?sslmode=disable",
            "postgres://h/d?a=b&sslmode=prefer",
        ] {
            assert_eq!(database_url(good), Ok(()), "{good}");
        }
        for bad in [
            "h/d",
            "mysql://h",
            "postgres://u:hunter2@h/d?sslmode=require",
            "postgres://h/d?x=y&sslmode=verify-full",
        ] {
            assert!(!database_url(bad).unwrap_err().contains("hunter2"));
        }
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(count("8", 1..=1000_usize), Ok(8));
        for text in ["", "0", "1001", "-1", "x", "8 "] {
            assert!(count(text, 1..=1000_usize).is_err(), "{text}");
        }
    }

    #[test]
    fn filters_are_read() {
        assert!(log_filter("info,comanda_api=debug").is_ok());
        assert!(log_filter("info,=[").is_err());
        assert_eq!(log_format("pretty"), Ok(LogFormat::Pretty));
        assert!(log_format("xml").is_err());
    }
}
