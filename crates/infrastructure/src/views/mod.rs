//! The wire shapes of `api.md` 3: one definition for answers and events alike.

mod api_key;
mod call;
mod cart;
mod check;
mod floor;
mod menu;
mod payment;
mod receipt;
mod round;
mod session;
mod staff;
mod table;
mod ticket;
mod webhook;

use chrono::SecondsFormat;
use comanda_domain::Timestamp;
use comanda_domain::actor::{ActorKind, Stamp};
use comanda_domain::branch::Branch;
use comanda_domain::ids::{ApiKeyId, DinerId, TableId, UserId};
use comanda_domain::money::Currency;
use comanda_domain::text::I18n;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::people::People;

pub use api_key::{ApiKeyView, IssuedKeyView, OwnKeyView};
pub(crate) use api_key::{api_key, branch_ref, issued_key, own_key};
pub use call::{CallView, call};
pub use cart::{CartLineView, CartModifierView, CartView, cart};
pub use check::{
    ChargeView, CheckTotalsView, CheckView, PreviewLineView, PreviewShareView, PreviewView, ShareView,
    SplitView, check, check_totals, preview,
};
pub use floor::{BranchView, QrView, TableView};
pub(crate) use floor::{admin_branch, table};
pub use menu::{
    AllergensView, AvailabilityView, MenuBranchView, MenuCategoryView, MenuFilterView, MenuGroupView,
    MenuOptionView, MenuProductView, MenuView, OptionAllergensView, menu, menu_product,
};
pub use payment::{AllocationView, CoverView, PaymentView, payment};
pub use receipt::{
    ReceiptBranch, ReceiptFacts, ReceiptLine, ReceiptPayment, ReceiptView, is_receipt, receipt,
};
pub use round::{ItemView, ModifierView, RoundView, TimelineView, round};
pub use session::{
    BranchRef, DinerRegisteredView, DinerView, NamedRef, OwnDinerView, ScannedView, SessionDetailView,
    SessionTable, SessionView, diner, own_diner, session,
};
pub(crate) use staff::user;
pub use staff::{GrantView, LoginView, UserView};
pub use table::{CardCheckView, CardSessionView, RoundCountsView, TableCardDetailView, TableCardView};
pub use ticket::{TicketItemView, TicketView, ticket};
pub use webhook::{AttemptView, DeliveryView, IssuedWebhookView, ReplayView, WebhookView};
pub(crate) use webhook::{delivery, issued_webhook, webhook};

/// An amount in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MoneyView {
    /// Minor units (centavos, cents).
    #[schema(example = 1250)]
    pub amount: i64,
    /// ISO 4217.
    #[schema(example = "ARS")]
    pub currency: String,
}

/// An amount as it travels.
pub fn money(minor: i64, currency: Currency) -> MoneyView {
    MoneyView {
        amount: minor,
        currency: currency.code().to_owned(),
    }
}

/// RFC 3339 in UTC with milliseconds.
pub fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActorView {
    /// `diner`, `user`, `api_key`, `provider` or `system`.
    pub kind: String,
    /// Null for provider and system.
    pub id: Option<String>,
    /// As others call them.
    pub name: Option<String>,
}

/// An actor with its name.
pub fn actor(kind: ActorKind, id: Option<Uuid>, people: &People) -> ActorView {
    let wire = id.and_then(|id| match kind {
        ActorKind::Diner => Some(DinerId(id).to_string()),
        ActorKind::User => Some(UserId(id).to_string()),
        ActorKind::ApiKey => Some(ApiKeyId(id).to_string()),
        ActorKind::Provider | ActorKind::System => None,
    });
    ActorView {
        kind: kind.to_string(),
        id: wire,
        name: people.name(id).map(str::to_owned),
    }
}

pub(crate) fn stamped_by(stamp: &Stamp, people: &People) -> ActorView {
    actor(stamp.kind, stamp.id, people)
}

/// A table as others refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TableRef {
    /// Its id.
    pub id: String,
    /// What is printed on it.
    #[schema(example = "SAL-01")]
    pub code: String,
}

impl TableRef {
    /// A table as others refer to it.
    pub fn new(id: TableId, code: &str) -> Self {
        Self {
            id: id.to_string(),
            code: code.to_owned(),
        }
    }
}

/// A person as others refer to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonRef {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
}

/// Which language a text is shown in: the wanted one, else the branch's, else any.
#[derive(Debug, Clone)]
pub struct Texts {
    wanted: Option<String>,
    locale: String,
}

impl Texts {
    /// The branch's own language, as in events.
    pub fn of_branch(branch: &Branch) -> Self {
        Self {
            wanted: None,
            locale: branch.locale.clone(),
        }
    }

    /// A guest's language where the text exists.
    pub fn wanted(wanted: Option<&str>, branch: &Branch) -> Self {
        Self {
            wanted: wanted.map(str::to_owned),
            locale: branch.locale.clone(),
        }
    }

    /// The language that answers name.
    pub fn lang(&self) -> &str {
        self.wanted.as_deref().unwrap_or(&self.locale)
    }

    /// The text to show.
    pub fn pick(&self, text: &I18n) -> String {
        let preferred = self.preferred();
        text.pick(&preferred.each_ref().map(String::as_str)).to_owned()
    }

    /// The language in which [`Self::pick`] shows a text.
    pub fn lang_of(&self, text: &I18n) -> String {
        let known = self.preferred().into_iter().find(|tag| text.0.contains_key(tag));
        known
            .or_else(|| text.0.keys().next().cloned())
            .unwrap_or_else(|| self.locale.clone())
    }

    /// Best first; `es-AR` is also served by `es`.
    fn preferred(&self) -> [String; 4] {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        let wanted = self.wanted.clone().unwrap_or_default();
        let primaries = (primary(&wanted), primary(&self.locale));
        [wanted, primaries.0, self.locale.clone(), primaries.1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_providers_and_comanda_itself_have_no_id() {
        let id = Uuid::from_u128(7);
        for (kind, prefix) in [
            (ActorKind::Diner, Some("dnr_")),
            (ActorKind::User, Some("usr_")),
            (ActorKind::ApiKey, Some("key_")),
            (ActorKind::Provider, None),
            (ActorKind::System, None),
        ] {
            let shown = actor(kind, Some(id), &People::default()).id;
            assert_eq!(
                shown.as_deref().map(|id| id.get(..4)),
                prefix.map(Some),
                "{kind}: {shown:?}"
            );
        }
    }
}
