//! Money: integer minor units with a currency.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Any total stays within this many minor units (`domain.md` 9).
pub const MAX_TOTAL: i64 = 1_000_000_000_000;
/// Any price stays within this many minor units.
pub const MAX_PRICE: i64 = 1_000_000_000;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a three-letter upper-case code.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code as text.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimal digits of the minor unit (ISO 4217, list one).
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
            | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| serde::de::Error::custom("not an ISO 4217 code"))
    }
}

/// An amount of one currency, in minor units (centavos, cents).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; may be negative.
    #[serde(rename = "amount")]
    pub minor: i64,
    /// Whose minor units.
    pub currency: Currency,
}

/// Why an amount cannot be computed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The two amounts are of different currencies.
    #[error("amounts of different currencies")]
    CurrencyMismatch {
        /// The currency that was needed.
        expected: Currency,
    },
    /// Outside ±[`MAX_TOTAL`].
    #[error("amount out of range")]
    Overflow,
    /// A decimal text that is not exactly representable.
    #[error("not an exact amount of the currency")]
    Inexact,
}

impl Money {
    /// An amount of minor units.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// Another currency, or a sum out of range.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        add(self.minor, other.minor).map(|minor| Self { minor, ..self })
    }

    /// The difference.
    ///
    /// # Errors
    /// Another currency, or a difference out of range.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.checked_add(Self {
            minor: -other.minor,
            ..other
        })
    }

    /// The amount times a quantity.
    ///
    /// # Errors
    /// A product out of range.
    pub fn times(self, quantity: i32) -> Result<Self, MoneyError> {
        times(self.minor, quantity).map(|minor| Self { minor, ..self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch {
                expected: self.currency,
            })
        }
    }

    /// Decimal text with the currency's exponent: `19.99`, `1500`.
    pub fn to_decimal(self) -> String {
        let digits = usize::try_from(self.currency.exponent()).unwrap_or(0);
        let sign = if self.minor < 0 { "-" } else { "" };
        let text = format!("{:0>width$}", self.minor.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = text.split_at(text.len() - digits);
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }

    /// Reads decimal text exactly: `"19.99"` ARS is 1999, `"19.999"` ARS is refused.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] for text that is no exact amount, [`MoneyError::Overflow`] out of range.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = usize::try_from(currency.exponent()).unwrap_or(0);
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || unsigned.ends_with('.') {
            return Err(MoneyError::Inexact);
        }
        let significant = fraction.trim_end_matches('0');
        if significant.len() > digits {
            return Err(MoneyError::Inexact);
        }
        let minor: i64 = format!("{whole}{significant:0<digits$}")
            .parse()
            .map_err(|_| MoneyError::Overflow)?;
        in_range(if negative { -minor } else { minor }).map(|minor| Self { minor, currency })
    }
}

/// `a + b` within range.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn add(a: i64, b: i64) -> Result<i64, MoneyError> {
    a.checked_add(b).ok_or(MoneyError::Overflow).and_then(in_range)
}

/// `unit × quantity` within range.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn times(unit: i64, quantity: i32) -> Result<i64, MoneyError> {
    unit.checked_mul(i64::from(quantity))
        .ok_or(MoneyError::Overflow)
        .and_then(in_range)
}

/// The sum of all amounts, within range.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn sum(amounts: impl IntoIterator<Item = i64>) -> Result<i64, MoneyError> {
    amounts.into_iter().try_fold(0, add)
}

fn in_range(minor: i64) -> Result<i64, MoneyError> {
    if (-MAX_TOTAL..=MAX_TOTAL).contains(&minor) {
        Ok(minor)
    } else {
        Err(MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn the_examples_of_the_specification_hold() {
        assert_eq!(
            Money::from_decimal("19.99", currency("ARS")),
            Ok(Money::new(1999, currency("ARS")))
        );
        assert_eq!(
            Money::from_decimal("19.999", currency("ARS")),
            Err(MoneyError::Inexact)
        );
        assert_eq!(
            Money::from_decimal("1500.5", currency("CLP")),
            Err(MoneyError::Inexact)
        );
    }

    #[test]
    fn currencies_do_not_mix() {
        let pesos = Money::new(1, currency("ARS"));
        let euros = Money::new(1, currency("EUR"));
        assert_eq!(
            pesos.checked_add(euros),
            Err(MoneyError::CurrencyMismatch {
                expected: currency("ARS")
            })
        );
    }

    proptest! {
        // P14
        #[test]
        fn money_text_round_trips(
            minor in -MAX_TOTAL..=MAX_TOTAL,
            code in prop::sample::select(vec!["ARS", "CLP", "KWD", "CLF"]),
        ) {
            let money = Money::new(minor, currency(code));
            prop_assert_eq!(Money::from_decimal(&money.to_decimal(), money.currency), Ok(money));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            let _ = Money::from_decimal(&text, currency("ARS"));
        }

        #[test]
        fn sums_never_leave_the_range(a: i64, b: i64, q: i32) {
            for result in [add(a, b), times(a, q)].into_iter().flatten() {
                prop_assert!(result.abs() <= MAX_TOTAL);
            }
        }
    }
}
