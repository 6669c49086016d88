//! Printed codes: the table code in the QR on a table, and the receipt code on a paid check.
//!
//! A code names its object in the clear and carries the first 128 bits of an HMAC-SHA-256 over all of it. It
//! cannot be guessed, is not stored, and can be printed again without rotating it.

use std::fmt;

use comanda_domain::ids::{CheckId, TableId, TenantId};
use ring::hmac;
use uuid::Uuid;

use crate::compare;
use crate::encoding::{base64url, from_base64url};
use crate::keys::{KeyList, KeyListError, NamedKey};

const TABLE_LABEL: &[u8] = b"comanda.table.v1";
const RECEIPT_LABEL: &[u8] = b"comanda.receipt.v1";
const MAC_LEN: usize = 16;
const UUID_LEN: usize = 16;
/// Longest text that is looked at.
const MAX_CHARS: usize = 80;

/// The code is not one of ours: damaged, made up, of another kind, or made with a key that is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the code is not valid")]
pub struct InvalidCode;

/// What a table code says. Whether its version is the table's current one is for the caller to check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableCode {
    /// Whose table.
    pub tenant: TenantId,
    /// Which table.
    pub table: TableId,
    /// The version that was printed.
    pub qr_version: u16,
}

/// What a receipt code says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptCode {
    /// Whose check.
    pub tenant: TenantId,
    /// Which check.
    pub check: CheckId,
}

/// The keys of printed codes: the first makes new ones, all verify.
#[derive(Clone)]
pub struct CodeKeys {
    current: CodeKey,
    older: Vec<CodeKey>,
}

#[derive(Clone)]
struct CodeKey {
    id: u8,
    mac: hmac::Key,
}

impl CodeKeys {
    /// Takes keys whose ids are numbers from 0 to 255, because the id is one byte of the code.
    ///
    /// # Errors
    /// [`KeyListError::BadNumber`] for another id, [`KeyListError::DuplicateId`] for `1` beside `01`.
    pub fn new(keys: &KeyList) -> Result<Self, KeyListError> {
        let mut read: Vec<CodeKey> = Vec::new();
        for (position, key) in (1..).zip(keys.iter()) {
            let key = CodeKey::new(position, key)?;
            if read.iter().any(|known| known.id == key.id) {
                return Err(KeyListError::DuplicateId(key.id.to_string()));
            }
            read.push(key);
        }
        let mut read = read.into_iter();
        Ok(Self {
            current: read.next().ok_or(KeyListError::Empty)?,
            older: read.collect(),
        })
    }

    /// The code to print on a table, 68 characters.
    pub fn table_code(&self, code: &TableCode) -> String {
        let version = code.qr_version.to_be_bytes();
        self.write(
            TABLE_LABEL,
            &[code.tenant.0.as_bytes(), code.table.0.as_bytes(), &version],
        )
    }

    /// Reads a table code.
    ///
    /// # Errors
    /// [`InvalidCode`] for everything that [`Self::table_code`] did not make with one of these keys.
    pub fn read_table_code(&self, code: &str) -> Result<TableCode, InvalidCode> {
        let payload = self.read(TABLE_LABEL, code)?;
        let (tenant, rest) = split_uuid(&payload)?;
        let (table, version) = split_uuid(rest)?;
        let version = version.try_into().map_err(|_| InvalidCode)?;
        Ok(TableCode {
            tenant: TenantId(tenant),
            table: TableId(table),
            qr_version: u16::from_be_bytes(version),
        })
    }

    /// The code that opens a receipt, 66 characters.
    pub fn receipt_code(&self, code: &ReceiptCode) -> String {
        self.write(
            RECEIPT_LABEL,
            &[code.tenant.0.as_bytes(), code.check.0.as_bytes()],
        )
    }

    /// Reads a receipt code.
    ///
    /// # Errors
    /// [`InvalidCode`] for everything that [`Self::receipt_code`] did not make with one of these keys.
    pub fn read_receipt_code(&self, code: &str) -> Result<ReceiptCode, InvalidCode> {
        let payload = self.read(RECEIPT_LABEL, code)?;
        let (tenant, rest) = split_uuid(&payload)?;
        let (check, rest) = split_uuid(rest)?;
        if !rest.is_empty() {
            return Err(InvalidCode);
        }
        Ok(ReceiptCode {
            tenant: TenantId(tenant),
            check: CheckId(check),
        })
    }

    fn write(&self, label: &[u8], parts: &[&[u8]]) -> String {
        let mut bytes = vec![self.current.id];
        bytes.extend(parts.iter().copied().flatten());
        let mac = self.current.mac(label, &bytes);
        bytes.extend(mac.as_ref().iter().take(MAC_LEN));
        base64url(bytes)
    }

    /// The bytes between key id and MAC, once the MAC has proved right.
    fn read(&self, label: &[u8], code: &str) -> Result<Vec<u8>, InvalidCode> {
        if code.len() > MAX_CHARS {
            return Err(InvalidCode);
        }
        let bytes = from_base64url(code).ok_or(InvalidCode)?;
        let split = bytes.len().checked_sub(MAC_LEN).ok_or(InvalidCode)?;
        let (signed, presented) = bytes.split_at_checked(split).ok_or(InvalidCode)?;
        let (id, payload) = signed.split_first().ok_or(InvalidCode)?;
        let key = self.find(*id).ok_or(InvalidCode)?;
        let mac = key.mac(label, signed);
        let expected = mac.as_ref().get(..MAC_LEN).ok_or(InvalidCode)?;
        if compare::equal(expected, presented) {
            Ok(payload.to_vec())
        } else {
            Err(InvalidCode)
        }
    }

    fn find(&self, id: u8) -> Option<&CodeKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id == id)
    }
}

impl CodeKey {
    fn new(position: usize, key: &NamedKey) -> Result<Self, KeyListError> {
        Ok(Self {
            id: key.id().parse().map_err(|_| KeyListError::BadNumber(position))?,
            mac: hmac::Key::new(hmac::HMAC_SHA256, key.secret()),
        })
    }

    fn mac(&self, label: &[u8], bytes: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(label);
        context.update(bytes);
        context.sign()
    }
}

fn split_uuid(bytes: &[u8]) -> Result<(Uuid, &[u8]), InvalidCode> {
    let (uuid, rest) = bytes.split_at_checked(UUID_LEN).ok_or(InvalidCode)?;
    Ok((Uuid::from_slice(uuid).map_err(|_| InvalidCode)?, rest))
}

impl fmt::Debug for CodeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = std::iter::once(&self.current)
            .chain(&self.older)
            .map(|key| key.id);
        f.debug_list().entries(ids).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::base64;

    fn keys(text: &str) -> CodeKeys {
        CodeKeys::new(&KeyList::parse(&text.into()).unwrap()).unwrap()
    }

    fn key(id: u8, bytes: [u8; 32]) -> String {
        format!("{id}:{}", base64(bytes))
    }

    fn counting() -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(0..).for_each(|(to, n)| *to = n);
        bytes
    }

    #[test]
    fn the_test_vector_holds() {
        let keys = keys(&key(1, counting()));
        let code = TableCode {
            tenant: TenantId("01a19c21-7200-78b2-b69a-272c373b8989".parse().unwrap()),
            table: TableId("01a19c21-7200-73c2-a62a-675b4eb1475b".parse().unwrap()),
            qr_version: 1,
        };
        let text = "AQGhnCFyAHiytponLDc7iYkBoZwhcgBzwqYqZ1tOsUdbAAFBK_KrkWghJf09V1IJepBa";
        assert_eq!(keys.table_code(&code), text);
        assert_eq!(keys.read_table_code(text), Ok(code));
    }

    #[test]
    fn a_rotated_key_still_verifies_and_a_dropped_one_does_not() {
        let (old, new) = (key(7, [7; 32]), key(8, [8; 32]));
        let code = ReceiptCode {
            tenant: TenantId(Uuid::from_u128(1)),
            check: CheckId(Uuid::from_u128(2)),
        };
        let text = keys(&old).receipt_code(&code);
        let rotated = keys(&format!("{new},{old}"));
        assert_eq!(rotated.read_receipt_code(&text), Ok(code));
        assert_ne!(rotated.receipt_code(&code), text);
        assert_eq!(keys(&new).read_receipt_code(&text), Err(InvalidCode));
        assert_eq!(keys(&key(7, [9; 32])).read_receipt_code(&text), Err(InvalidCode));
    }

    #[test]
    fn key_ids_are_bytes() {
        let list = |text: String| CodeKeys::new(&KeyList::parse(&text.into()).unwrap()).unwrap_err();
        let encoded = base64([1; 32]);
        assert_eq!(list(format!("256:{encoded}")), KeyListError::BadNumber(1));
        assert_eq!(list(format!("k:{encoded}")), KeyListError::BadNumber(1));
        let twice = format!("1:{encoded},01:{}", base64([2; 32]));
        assert_eq!(list(twice), KeyListError::DuplicateId("1".into()));
    }

    #[test]
    fn a_code_of_one_kind_is_none_of_the_other() {
        let keys = keys(&key(0, [3; 32]));
        let (tenant, id) = (TenantId(Uuid::from_u128(1)), Uuid::from_u128(2));
        let table = TableCode {
            tenant,
            table: TableId(id),
            qr_version: 1,
        };
        let receipt = ReceiptCode {
            tenant,
            check: CheckId(id),
        };
        let text = keys.receipt_code(&receipt);
        assert_eq!(text.len(), 66);
        assert_eq!(keys.read_table_code(&text), Err(InvalidCode));
        assert_eq!(keys.read_receipt_code(&keys.table_code(&table)), Err(InvalidCode));
    }

    #[test]
    fn printing_keys_shows_ids_only() {
        let keys = keys(&format!("{},{}", key(4, [65; 32]), key(5, [66; 32])));
        assert_eq!(format!("{keys:?}"), "[4, 5]");
    }

    proptest! {
        // P17
        #[test]
        fn table_codes_round_trip_and_any_flipped_bit_is_refused(
            tenant: u128, table: u128, qr_version: u16, id: u8, secret: [u8; 32],
        ) {
            let keys = keys(&key(id, secret));
            let code = TableCode {
                tenant: TenantId(Uuid::from_u128(tenant)),
                table: TableId(Uuid::from_u128(table)),
                qr_version,
            };
            let text = keys.table_code(&code);
            prop_assert_eq!(text.len(), 68);
            prop_assert_eq!(keys.read_table_code(&text), Ok(code));
            let bytes = from_base64url(&text).unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(keys.read_table_code(&base64url(flipped)), Err(InvalidCode));
            }
            for cut in 0..text.len() {
                prop_assert_eq!(keys.read_table_code(&text[..cut]), Err(InvalidCode));
            }
        }

        #[test]
        fn receipt_codes_round_trip_and_any_flipped_bit_is_refused(tenant: u128, check: u128, secret: [u8; 32]) {
            let keys = keys(&key(1, secret));
            let code = ReceiptCode {
                tenant: TenantId(Uuid::from_u128(tenant)),
                check: CheckId(Uuid::from_u128(check)),
            };
            let text = keys.receipt_code(&code);
            prop_assert_eq!(keys.read_receipt_code(&text), Ok(code));
            let bytes = from_base64url(&text).unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(keys.read_receipt_code(&base64url(flipped)), Err(InvalidCode));
            }
        }

        #[test]
        fn garbage_is_refused_without_panic(text in "\\PC{0,90}|[A-Za-z0-9_-]{68}") {
            prop_assert_eq!(keys(&key(1, [1; 32])).read_table_code(&text), Err(InvalidCode));
        }
    }
}
