//! Positions in the stream of a branch, and whether somebody can go on from one.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::enums::text_enum;

/// One life of the event log; changes when the log is restored or reset. Eight lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Epoch(pub u32);

/// A text that is no epoch or no cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a position of a stream")]
pub struct CursorError;

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let digits = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() != 8 || !text.bytes().all(digits) {
            return Err(CursorError);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| CursorError)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What somebody has seen of the stream of a branch: everything up to `seq`. `5f3a9c01-40`, or just `40`, which means
/// the present epoch. It carries no authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamCursor {
    /// The life of the log that the number belongs to; none for the present one.
    pub epoch: Option<Epoch>,
    /// The number of the last event seen; 0 before the first.
    pub seq: u64,
}

impl From<(Epoch, u64)> for StreamCursor {
    fn from((epoch, seq): (Epoch, u64)) -> Self {
        let epoch = Some(epoch);
        Self { epoch, seq }
    }
}

impl fmt::Display for StreamCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epoch {
            Some(epoch) => write!(f, "{epoch}-{}", self.seq),
            None => write!(f, "{}", self.seq),
        }
    }
}

impl FromStr for StreamCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (epoch, seq) = match text.split_once('-') {
            Some((epoch, seq)) => (Some(epoch.parse()?), seq),
            None => (None, text),
        };
        let seq = parse_seq(seq).ok_or(CursorError)?;
        Ok(Self { epoch, seq })
    }
}

/// Plain digits; the standard library would also take a plus sign.
fn parse_seq(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 20 && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl Serialize for StreamCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrText)
    }
}

struct NumberOrText;

impl Visitor<'_> for NumberOrText {
    type Value = StreamCursor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a cursor such as \"5f3a9c01-40\"")
    }

    fn visit_u64<E: de::Error>(self, seq: u64) -> Result<StreamCursor, E> {
        Ok(StreamCursor { epoch: None, seq })
    }

    fn visit_i64<E: de::Error>(self, seq: i64) -> Result<StreamCursor, E> {
        u64::try_from(seq)
            .map_err(E::custom)
            .and_then(|seq| self.visit_u64(seq))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<StreamCursor, E> {
        text.parse().map_err(E::custom)
    }
}

/// The `CloudEvents` attribute `sequence`: twenty digits, so that the order of texts is the order of numbers.
pub fn sequence_text(seq: u64) -> String {
    format!("{seq:020}")
}

/// Where the stream of a branch stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamState {
    /// The present life of the log.
    pub epoch: Epoch,
    /// The highest number given; 0 before the first event.
    pub head: u64,
    /// The lowest number still kept; `head + 1` if none is.
    pub oldest_kept: u64,
}

/// How somebody who comes back is made whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recover {
    /// They get the events after this number.
    From(u64),
    /// They must read the state again; live events follow from the head.
    Lost(LostReason),
}

text_enum! {
    /// Why somebody must read the state again.
    LostReason {
        /// They did not say what they have seen.
        NoCursor = "no_cursor",
        /// What they miss is no longer kept.
        TooOld = "too_old",
        /// Their number was given in another life of the log, or not at all.
        EpochChanged = "epoch_changed",
        /// Reading the state is quicker.
        TooMany = "too_many",
    }
}

/// Judges a cursor. `limit` is how many events of the branch are replayed at most, whether or not they concern the
/// one who asks.
///
/// A number ahead of the head was never given in this life of the log, so the log is not the one that the cursor was
/// made for, even where no epoch says so.
pub fn position(cursor: Option<StreamCursor>, stream: StreamState, limit: u64) -> Recover {
    let Some(StreamCursor { epoch, seq }) = cursor else {
        return Recover::Lost(LostReason::NoCursor);
    };
    let Some(missed) = stream.head.checked_sub(seq) else {
        return Recover::Lost(LostReason::EpochChanged);
    };
    if epoch.is_some_and(|epoch| epoch != stream.epoch) {
        Recover::Lost(LostReason::EpochChanged)
    } else if seq.saturating_add(1) < stream.oldest_kept {
        Recover::Lost(LostReason::TooOld)
    } else if missed > limit {
        Recover::Lost(LostReason::TooMany)
    } else {
        Recover::From(seq)
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const STREAM: StreamState = StreamState {
        epoch: Epoch(0x5f3a_9c01),
        head: 57,
        oldest_kept: 21,
    };

    fn at(text: &str) -> Recover {
        position(Some(text.parse().unwrap()), STREAM, 30)
    }

    #[test]
    fn a_cursor_is_good_while_everything_after_it_is_kept() {
        use LostReason::{EpochChanged, NoCursor, TooMany, TooOld};
        assert_eq!(position(None, STREAM, 30), Recover::Lost(NoCursor));
        assert_eq!(at("5f3a9c01-57"), Recover::From(57));
        assert_eq!(at("40"), Recover::From(40));
        assert_eq!(at("27"), Recover::From(27));
        assert_eq!(at("26"), Recover::Lost(TooMany));
        assert_eq!(position(Some(at_seq(20)), STREAM, 5000), Recover::From(20));
        assert_eq!(at("19"), Recover::Lost(TooOld));
        assert_eq!(at("5f3a9c02-40"), Recover::Lost(EpochChanged));
        assert_eq!(at("58"), Recover::Lost(EpochChanged));
        assert_eq!(at("18446744073709551615"), Recover::Lost(EpochChanged));
    }

    fn at_seq(seq: u64) -> StreamCursor {
        StreamCursor { epoch: None, seq }
    }

    #[test]
    fn an_empty_log_is_followed_from_its_head() {
        let stream = StreamState {
            oldest_kept: 58,
            ..STREAM
        };
        assert_eq!(position(Some(at_seq(57)), stream, 30), Recover::From(57));
        assert_eq!(
            position(Some(at_seq(56)), stream, 30),
            Recover::Lost(LostReason::TooOld)
        );
        let new = StreamState {
            head: 0,
            oldest_kept: 1,
            ..STREAM
        };
        assert_eq!(position(Some(at_seq(0)), new, 30), Recover::From(0));
    }

    #[test]
    fn numbers_and_texts_are_cursors_and_nothing_else_is() {
        let read = |value: serde_json::Value| serde_json::from_value::<StreamCursor>(value).ok();
        assert_eq!(read(json!(40)), Some(at_seq(40)));
        assert_eq!(read(json!("40")), Some(at_seq(40)));
        assert_eq!(
            read(json!("5f3a9c01-40")).map(|cursor| cursor.epoch),
            Some(Some(STREAM.epoch))
        );
        for wrong in [
            json!(-1),
            json!(1.5),
            json!(null),
            json!(true),
            json!(""),
            json!("-40"),
            json!("+40"),
            json!("4 0"),
            json!("5F3A9C01-40"),
            json!("5f3a9c1-40"),
            json!("5f3a9c01-"),
            json!("5f3a9c01-4-0"),
            json!("99999999999999999999"),
            json!("000000000000000000040"),
            json!([40]),
        ] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_reads_what_it_prints(epoch in option::of(any::<u32>()), seq: u64) {
            let cursor = StreamCursor { epoch: epoch.map(Epoch), seq };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
            let json = serde_json::to_string(&cursor).unwrap();
            prop_assert_eq!(serde_json::from_str::<StreamCursor>(&json).unwrap(), cursor);
            prop_assert_eq!(sequence_text(seq).parse(), Ok(StreamCursor { epoch: None, seq }));
        }

        #[test]
        fn sequences_are_ordered_as_texts(a: u64, b: u64) {
            prop_assert_eq!(sequence_text(a).cmp(&sequence_text(b)), a.cmp(&b));
            prop_assert_eq!(sequence_text(a).len(), 20);
        }

        /// Whoever is let through misses only events that are kept, no more than the limit, and of this epoch.
        #[test]
        fn nobody_goes_on_over_a_gap(
            head in 0_u64..60, kept in 0_u64..60, limit in 0_u64..60, epoch in option::of(1_u32..3),
            seq in option::of(0_u64..70),
        ) {
            let oldest_kept = head - kept.min(head) + 1;
            let stream = StreamState { epoch: Epoch(1), head, oldest_kept };
            let cursor = seq.map(|seq| StreamCursor { epoch: epoch.map(Epoch), seq });
            let whole = seq.is_some_and(|seq| {
                epoch != Some(2) && seq <= head && (seq + 1..=head).all(|n| n >= oldest_kept) && head - seq <= limit
            });
            let from = match position(cursor, stream, limit) {
                Recover::From(from) => Some(from),
                Recover::Lost(_) => None,
            };
            prop_assert_eq!(from, seq.filter(|_| whole));
        }
    }
}
