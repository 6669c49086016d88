//! Every name that Comanda gives to something in Redis. All begin with `comanda:`; what is used together shares the
//! hash tag in braces, and with it the node of a Cluster.
//!
//! | name | owner | type | lives |
//! |---|---|---|---|
//! | `comanda:ev:{<shard>}:<epoch>` | the leader of the shard | stream | capped; an hour once its epoch is over |
//! | `comanda:sig:<shard>` | whoever commits | channel | – |
//! | `comanda:bell` | whoever commits | channel | – |
//! | `comanda:nonce:<API key>:<nonce>` | whoever judges a signed read | string | ten minutes |

use std::fmt;
use std::time::Duration;

use comanda_domain::ids::ApiKeyId;

/// How long the stream of an epoch that is over stays.
pub const FORMER_STREAM: Duration = Duration::from_hours(1);

/// The stream of a shard in one life of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamKey {
    /// Which part of the log.
    pub shard: i32,
    /// Which life of it.
    pub epoch: String,
}

impl StreamKey {
    /// What finds all of them.
    pub const PATTERN: &str = "comanda:ev:*";

    /// Of this shard and epoch.
    pub fn new(shard: i32, epoch: &str) -> Self {
        Self {
            shard,
            epoch: epoch.to_owned(),
        }
    }

    /// Reads a name. Nothing if it is no stream's.
    pub fn parse(key: &str) -> Option<Self> {
        let (shard, epoch) = key.strip_prefix("comanda:ev:{")?.split_once("}:")?;
        let parsed = Self::new(shard.parse().ok()?, epoch);
        (parsed.to_string() == key && !epoch.is_empty()).then_some(parsed)
    }
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, epoch } = self;
        write!(f, "comanda:ev:{{{shard}}}:{epoch}")
    }
}

/// The channel of the signals of a shard.
pub fn signals(shard: i32) -> String {
    format!("comanda:sig:{shard}")
}

/// What finds the channels of all shards.
pub const SIGNALS: &str = "comanda:sig:*";

/// The channel that says that something may have been staged.
pub const BELL: &str = "comanda:bell";

/// A nonce that a signed read has used.
pub fn nonce(key: ApiKeyId, nonce: &str) -> String {
    format!("comanda:nonce:{key}:{nonce}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        let key = StreamKey::new(3, "5f3a9c01");
        assert_eq!(key.to_string(), "comanda:ev:{3}:5f3a9c01");
        assert_eq!(StreamKey::parse("comanda:ev:{3}:5f3a9c01"), Some(key));
        assert_eq!(signals(12), "comanda:sig:12");
        let names = [
            StreamKey::PATTERN.to_owned(),
            StreamKey::new(0, "0").to_string(),
            signals(0),
            SIGNALS.to_owned(),
            BELL.to_owned(),
            nonce(ApiKeyId(uuid::Uuid::nil()), "0123456789abcdef"),
        ];
        for name in names {
            assert!(name.starts_with("comanda:"), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_streams() {
        for name in [
            "",
            "comanda:ev:",
            "comanda:ev:{3}:",
            "comanda:ev:{x}:5f3a9c01",
            "comanda:ev:{03}:5f3a9c01",
            "comanda:ev:3:5f3a9c01",
            "comanda:cache:{3}:5f3a9c01",
            "comanda:sig:3",
        ] {
            assert_eq!(StreamKey::parse(name), None, "{name}");
        }
    }
}
