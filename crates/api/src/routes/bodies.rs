//! Request bodies that several audiences share, and their way into commands.

use comanda_domain::billing::{SplitMethod, SplitRequest};
use comanda_domain::cart::{ChosenModifier, Sharing};
use comanda_domain::diner::{AllergenMode, Diet, Preferences};
use comanda_domain::ids::{DinerId, ModifierOptionId};

use crate::http::body::{Amount, Id, Int, List, Named, Text, body};
use crate::problem::{Code, Problem};

/// A code such as `milk`, 1..40 characters.
pub type CodeText = Text<1, 40>;
/// A language tag.
pub type LanguageTag = Text<2, 35>;
/// A remark of at most 200 characters, may be empty.
pub type Notes = Text<0, 200>;
/// Why something is taken back.
pub type Reason = Text<3, 200>;
/// A colour.
pub type ColorText = Text<7, 7>;

body! {
    /// A chosen option.
    ModifierBody {
        /// The option.
        option_id: Id<ModifierOptionId>,
        /// How often; once if not said.
        qty: Option<Int<1, 20>>,
    }
}

/// Chosen options as the domain knows them.
pub fn modifiers(list: Option<List<ModifierBody, 20>>) -> Vec<ChosenModifier> {
    list.map(|list| list.0)
        .unwrap_or_default()
        .into_iter()
        .map(|body| ChosenModifier {
            option_id: body.option_id.0,
            qty: body.qty.map_or(1, |qty| qty.0),
        })
        .collect()
}

/// `own`, or `group` when guests are named.
pub fn sharing(given: Option<Named<Sharing>>) -> Option<Sharing> {
    given.map(|named| named.0)
}

/// Named guests.
pub fn diners(list: Option<List<Id<DinerId>, 50>>) -> Vec<DinerId> {
    list.map(|list| list.0)
        .unwrap_or_default()
        .into_iter()
        .map(|id| id.0)
        .collect()
}

body! {
    /// What a guest eats and reads.
    PreferencesBody {
        /// Codes of allergens to avoid.
        exclude_allergens: Option<List<CodeText, 50>>,
        /// How strictly.
        mode: Option<Named<AllergenMode>>,
        /// Ways of eating.
        diets: Option<List<Named<Diet>, 5>>,
        /// Preferred language.
        locale: Option<LanguageTag>,
    }
}

impl From<PreferencesBody> for Preferences {
    fn from(body: PreferencesBody) -> Self {
        let mut exclude_allergens: Vec<String> = body
            .exclude_allergens
            .map(|list| list.0.into_iter().map(|code| code.0).collect())
            .unwrap_or_default();
        exclude_allergens.sort();
        exclude_allergens.dedup();
        Self {
            exclude_allergens,
            mode: body.mode.map_or(AllergenMode::Traces, |mode| mode.0),
            diets: body
                .diets
                .map(|list| list.0.into_iter().map(|diet| diet.0).collect())
                .unwrap_or_default(),
            locale: body.locale.map(|tag| tag.0),
        }
    }
}

body! {
    /// One guest's part of a custom split.
    ShareBody {
        /// Whose.
        diner_id: Id<DinerId>,
        /// How much.
        amount: Amount,
    }
}

body! {
    /// How to divide what is due.
    SplitBody {
        /// How.
        method: Named<SplitMethod>,
        /// Among whom; everyone if not said. Not for `custom`.
        participants: Option<List<Id<DinerId>, 50>>,
        /// For `custom` only: who pays what.
        amounts: Option<List<ShareBody, 50>>,
    }
}

impl SplitBody {
    /// The split as the domain knows it.
    ///
    /// # Errors
    /// Members that do not go with the method.
    pub fn request(self, at: &str) -> Result<SplitRequest, Problem> {
        let participants = self
            .participants
            .map(|list| list.0.into_iter().map(|id| id.0).collect());
        let fault = |member: &str, code: &str, detail: &str| {
            Problem::with_detail(Code::ValidationFailed, detail).at(&format!("{at}/{member}"), code, detail)
        };
        match (self.method.0, self.amounts) {
            (SplitMethod::Custom, None) => Err(fault("amounts", "required", "must be given for custom")),
            (SplitMethod::Custom, Some(_)) if participants.is_some() => Err(fault(
                "participants",
                "not_allowed",
                "custom names its guests in amounts",
            )),
            (SplitMethod::Custom, Some(amounts)) => Ok(SplitRequest::Custom {
                amounts: amounts
                    .0
                    .into_iter()
                    .map(|share| (share.diner_id.0, share.amount.0))
                    .collect(),
            }),
            (_, Some(_)) => Err(fault("amounts", "not_allowed", "only for custom")),
            (SplitMethod::Equal, None) => Ok(SplitRequest::Equal { participants }),
            (SplitMethod::ByConsumption, None) => Ok(SplitRequest::ByConsumption { participants }),
        }
    }
}
