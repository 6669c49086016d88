//! `comanda demo dinner`: the whole dinner of `api.md` 8, through the public interface of a running server.
//!
//! Every number is worked out here, too ([`expected`]), and the dinner ends at the first one that differs.

mod arrive;
mod cook;
mod error;
mod evening;
mod expected;
mod leave;
mod order;
mod pay;
mod show;

use std::io;

use comanda_domain::money::Money;
use serde::Serialize;

pub use error::{Cause, DinnerError};
use evening::Evening;
use expected::Expected;
pub use expected::MOST_GUESTS;
pub use show::show;

use crate::client::Client;

/// Which dinner.
#[derive(Debug, Clone)]
pub struct DinnerOptions {
    /// Where the guests sit in Buen Sabor Centro.
    pub table: String,
    /// How many they are: 1 to [`MOST_GUESTS`].
    pub guests: usize,
    /// 1 can be watched, 2 is twice as fast, 0 does not wait at all.
    pub speed: f64,
}

impl Default for DinnerOptions {
    fn default() -> Self {
        Self {
            table: "SAL-01".to_owned(),
            guests: 3,
            speed: 1.0,
        }
    }
}

/// Something that somebody did, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The step of `api.md` 8.
    pub step: u8,
    /// Who did it.
    pub who: String,
    /// What they did.
    pub what: String,
    /// The amount that the server named.
    pub amount: Option<Money>,
    /// What became of it.
    pub status: String,
}

/// The dinner as it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Where it was.
    pub table: String,
    /// Number of the bill.
    pub check_number: i64,
    /// The bill.
    pub total: Money,
    /// For the staff.
    pub tips: Money,
    /// Who paid what.
    pub guests: Vec<Paid>,
    /// Where the receipt can be seen.
    pub receipt_url: Option<String>,
}

/// What a guest paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paid {
    /// Who.
    pub name: String,
    /// For the bill.
    pub share: Money,
    /// For the staff.
    pub tip: Money,
    /// With what.
    pub provider: &'static str,
}

/// Shown each step as soon as it is done.
pub type Audience<'a> = dyn FnMut(&Step) -> io::Result<()> + Send + 'a;

/// Serves the whole dinner.
///
/// # Errors
/// The step at which the server did not do what it must.
pub async fn serve(
    client: &Client,
    options: &DinnerOptions,
    audience: &mut Audience<'_>,
) -> Result<Summary, DinnerError> {
    let mut evening = Evening::new(client, options, audience);
    match dinner(&mut evening).await {
        Ok(summary) => Ok(summary),
        Err(cause) => Err(DinnerError {
            step: evening.step(),
            cause,
        }),
    }
}

async fn dinner(evening: &mut Evening<'_>) -> Result<Summary, Cause> {
    let expected = Expected::of(evening.options.guests.clamp(1, MOST_GUESTS));
    let party = arrive::arrive(evening).await?;
    let placed = order::order(evening, &party, &expected).await?;
    cook::cook(evening, &party, &placed, &expected).await?;
    let bill = pay::pay(evening, &party, &expected).await?;
    let receipt_url = leave::leave(evening, &party, &placed, &bill, &expected).await?;
    Ok(Summary {
        table: party.table.code,
        check_number: bill.check.number,
        total: bill.check.total,
        tips: bill.check.tips,
        guests: bill.payments,
        receipt_url,
    })
}
