//! What must hold for every request.

use chrono::DateTime;
use comanda_domain::Timestamp;
use proptest::prelude::*;

use super::canonical::{Stamp, canonical_form};
use super::*;
use crate::api_key::KeyId;

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn secret(byte: u8) -> SigningSecret {
    SigningSecret::from_bytes(&[byte; 32]).unwrap()
}

/// Reads the fields of a canonical form again.
fn fields(mut bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (field, rest) = rest.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
        found.push(String::from_utf8(field.to_vec()).unwrap());
        bytes = rest;
    }
    assert!(bytes.is_empty());
    found
}

proptest! {
    /// Whatever is signed can be read again from the bytes under the signature, so different fields are never the
    /// same bytes.
    #[test]
    fn the_canonical_form_can_be_read_again(
        texts in prop::array::uniform6("[a-zA-Z0-9/%é\\x00-\\x20]{0,12}"),
        query in "[a-c=&+]{0,12}",
        body: Vec<u8>,
    ) {
        let [method, path, version, timestamp, nonce, key_id] = &texts;
        let request = SignableRequest { method, path, query: &query, body: &body };
        let stamp = Stamp { version, timestamp, nonce, key_id };
        let digest = crate::encoding::hex(&crate::hash::sha256(&[&body]));
        let expected = [
            "comanda-request-signature",
            version,
            method,
            path,
            &canonical_query(&query).unwrap(),
            &digest,
            timestamp,
            nonce,
            key_id,
        ];
        prop_assert_eq!(fields(&canonical_form(&request, &stamp).unwrap()), expected);
    }

    #[test]
    fn what_was_signed_verifies_and_nothing_else(
        path in "/[a-z0-9/%]{0,30}",
        query in "([a-c]{0,2}=?[0-9]{0,2}&?){0,4}",
        body: Vec<u8>,
        (now, later) in (1_000_000_000..2_000_000_000_i64, -40..340_i64),
        (own, other) in (any::<u8>(), any::<u8>()),
    ) {
        let request = SignableRequest { method: "POST", path: &path, query: &query, body: &body };
        let key_id = KeyId::parse("041061050r3gg28a").unwrap();
        let nonce = Nonce::parse("0123456789abcdef").unwrap();
        let signed = RequestSigner::new(key_id, secret(own)).sign(&request, at(now), nonce).unwrap();
        let pairs = signed.pairs();
        let headers: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        prop_assert_eq!(&SignedHeaders::read(&headers), &Ok(signed.clone()));
        let judged = verify(&signed, &request, &[secret(other)], at(now + later));
        let expected = match later {
            ..-30 => Err(SignatureRefusal::TooNew),
            301.. => Err(SignatureRefusal::TooOld),
            _ if own != other => Err(SignatureRefusal::Mismatch),
            _ => Ok(0),
        };
        prop_assert_eq!(judged, expected);
    }
}

/// Signed requests by the hundred, and every bit of each of them turned over.
mod slow {
    use super::*;

    const SEED: u64 = 0x5eed_0000_0000_0001;
    const FLIPS: usize = 1_000_000;

    /// Numbers that look random and are always the same (xorshift).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
        }

        fn text(&mut self, letters: &[u8], lengths: std::ops::Range<usize>) -> Vec<u8> {
            let length = lengths.start + self.below(lengths.len());
            (0..length).map(|_| letters[self.below(letters.len())]).collect()
        }
    }

    /// Everything that travels, part by part: method, path, query, body, and the values of the headers.
    #[derive(Clone, Debug)]
    struct Wire([Vec<u8>; 9]);

    impl Wire {
        fn signed(dice: &mut Dice) -> Self {
            let method = [&b"GET"[..], b"POST", b"PATCH", b"DELETE"][dice.below(4)].to_vec();
            let path = [b"/v1/".to_vec(), dice.text(b"abc019/_%-", 0..30)].concat();
            let query = [
                "",
                "a=1",
                "b=2&a=%2F&a=%c3%A9",
                "since=2026-11-24T20%3A00%3A00Z&x",
            ][dice.below(4)];
            let body = dice.text(b"{}[]\":,abc\xff\x00", 0..40);
            let nonce = dice.text(b"abcXYZ019_-", 16..65);
            let request = SignableRequest {
                method: std::str::from_utf8(&method).unwrap(),
                path: std::str::from_utf8(&path).unwrap(),
                query,
                body: &body,
            };
            let nonce = Nonce::parse(std::str::from_utf8(&nonce).unwrap()).unwrap();
            let key_id = KeyId::parse("041061050r3gg28a").unwrap();
            let signed = RequestSigner::new(key_id, secret(1))
                .sign(&request, at(1_800_000_000), nonce)
                .unwrap();
            let [id, time, nonce, version, mac] = signed.pairs().map(|(_, value)| value.into_bytes());
            Self([
                method,
                path,
                query.as_bytes().to_vec(),
                body,
                id,
                time,
                nonce,
                version,
                mac,
            ])
        }

        fn is_accepted(&self) -> bool {
            let Self([method, path, query, body, values @ ..]) = self;
            let text = |bytes| std::str::from_utf8(bytes).ok();
            let (Some(method), Some(path), Some(query)) = (text(method), text(path), text(query)) else {
                return false;
            };
            let values: Option<Vec<&str>> = values.iter().map(|value| text(value)).collect();
            let Some(values) = values else {
                return false;
            };
            let headers: Vec<(&str, &str)> = SIGNED_HEADERS.into_iter().zip(values).collect();
            let request = SignableRequest {
                method,
                path,
                query,
                body,
            };
            SignedHeaders::read(&headers)
                .and_then(|signed| verify(&signed, &request, &[secret(2), secret(1)], at(1_800_000_000)))
                .is_ok()
        }

        /// Whether the query only spells the digits of its escapes otherwise: it says the same.
        fn says_the_same(&self, other: &Self) -> bool {
            let query = |wire: &Self| std::str::from_utf8(&wire.0[2]).ok().map(str::to_lowercase);
            let differs = |at: usize| self.0[at] != other.0[at];
            let elsewhere = (0..9).any(|at| at != 2 && differs(at));
            let at = self.0[2].iter().zip(&other.0[2]).position(|(a, b)| a != b);
            let in_escape = at.is_some_and(|at| self.0[2][at.saturating_sub(2)..at].contains(&b'%'));
            !elsewhere && in_escape && query(self) == query(other)
        }
    }

    #[test]
    fn a_million_flipped_bits_are_refused() {
        let (mut dice, mut tried, mut same) = (Dice(SEED), 0, 0);
        while tried < FLIPS {
            let wire = Wire::signed(&mut dice);
            assert!(wire.is_accepted(), "seed {SEED:#x}: {wire:?}");
            for part in 0..9 {
                for bit in 0..wire.0[part].len() * 8 {
                    let mut flipped = wire.clone();
                    flipped.0[part][bit / 8] ^= 1 << (bit % 8);
                    if flipped.says_the_same(&wire) {
                        same += 1;
                        continue;
                    }
                    tried += 1;
                    assert!(
                        !flipped.is_accepted(),
                        "seed {SEED:#x}, part {part}, bit {bit}: {wire:?}"
                    );
                }
            }
        }
        println!("seed {SEED:#x}: {tried} flips refused, {same} left out, which spell %c3 as %C3");
    }
}
