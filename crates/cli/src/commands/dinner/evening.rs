//! What every part of the dinner needs: the server, the audience, and a strict eye.

use std::fmt::Display;
use std::time::Duration;

use comanda_domain::money::Money;

use super::{Audience, Cause, DinnerOptions, Step};
use crate::client::{Branch, Client, Menu, Session, Table};

/// How long a step can be looked at, at speed 1.
const PAUSE: Duration = Duration::from_millis(300);
/// What Buen Sabor charges in.
pub(super) const CURRENCY: &str = "ARS";

/// A dinner under way.
pub(super) struct Evening<'a> {
    pub(super) client: &'a Client,
    pub(super) options: &'a DinnerOptions,
    audience: &'a mut Audience<'a>,
    step: u8,
}

/// Somebody with a token.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: &'static str,
    /// Of guests.
    pub(super) id: String,
    pub(super) token: String,
}

/// Who is there, and where.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) marta: Person,
    pub(super) leo: Person,
    pub(super) nora: Person,
    pub(super) branch: Branch,
    pub(super) table: Table,
    pub(super) session: Session,
    pub(super) guests: Vec<Person>,
    pub(super) menu: Menu,
}

impl Party {
    /// Who opened the table.
    pub(super) fn ana(&self) -> Result<&Person, Cause> {
        self.guest(0)
    }

    /// The guest of that seat, or the last one of a smaller party.
    pub(super) fn guest(&self, seat: usize) -> Result<&Person, Cause> {
        let guest = self.guests.get(seat).or(self.guests.last());
        guest.ok_or_else(|| Cause::Missing {
            what: "guest".to_owned(),
        })
    }

    /// An idempotency key that no earlier dinner used.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}-{name}", self.session.id)
    }
}

impl<'a> Evening<'a> {
    pub(super) fn new(
        client: &'a Client,
        options: &'a DinnerOptions,
        audience: &'a mut Audience<'a>,
    ) -> Self {
        Self {
            client,
            options,
            audience,
            step: 0,
        }
    }

    /// The step that is or was last under way.
    pub(super) fn step(&self) -> u8 {
        self.step
    }

    /// Says which step begins, so that an error can name it.
    pub(super) fn at(&mut self, step: u8) {
        self.step = step;
    }

    /// Shows what was done, and gives time to read it.
    pub(super) async fn show(
        &mut self,
        who: &str,
        what: impl Into<String>,
        amount: Option<Money>,
        status: impl Into<String>,
    ) -> Result<(), Cause> {
        let step = Step {
            step: self.step,
            who: who.to_owned(),
            what: what.into(),
            amount,
            status: status.into(),
        };
        (self.audience)(&step)?;
        if self.options.speed > 0.0 {
            tokio::time::sleep(PAUSE.div_f64(self.options.speed.max(0.01))).await;
        }
        Ok(())
    }
}

/// Looks whether something is what it must be.
pub(super) fn same<A, B>(what: &str, got: A, wanted: B) -> Result<(), Cause>
where
    A: PartialEq<B> + Display,
    B: Display,
{
    if got == wanted {
        Ok(())
    } else {
        Err(Cause::differs(what, got, wanted))
    }
}

/// Looks whether an amount is what it must be.
pub(super) fn amounts(what: &str, got: Money, wanted: i64) -> Result<(), Cause> {
    same(&format!("the currency of {what}"), got.currency.code(), CURRENCY)?;
    if got.minor == wanted {
        return Ok(());
    }
    let wanted = Money::new(wanted, got.currency);
    Err(Cause::differs(what, got.to_decimal(), wanted.to_decimal()))
}

/// Looks whether the version in an `ETag` is what it must be; `W/` is what compressing proxies add.
pub(super) fn version(what: &str, etag: Option<&str>, wanted: i64) -> Result<(), Cause> {
    let got = etag.unwrap_or("absent");
    let got = got.strip_prefix("W/").unwrap_or(got);
    same(
        &format!("the ETag of {what}"),
        got,
        format!("\"v{wanted}\"").as_str(),
    )
}

/// An amount as it is sent.
pub(super) fn money(minor: i64) -> serde_json::Value {
    serde_json::json!({ "amount": minor, "currency": CURRENCY })
}
