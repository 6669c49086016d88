//! Who a line belongs to, from what a phone or a waiter sends.

use std::collections::BTreeSet;

use crate::cart::{CartLine, Sharing};
use crate::diner::Diner;
use crate::ids::DinerId;

/// Why named sharers are not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SharingError {
    /// A group is at least two different diners.
    #[error("a shared line needs two diners")]
    TooFewSharers,
    /// Sharers are named only for [`Sharing::Group`].
    #[error("only a group names its diners")]
    SharersNotAllowed,
    /// Not a diner of this session.
    #[error("the diner is not in the session")]
    DinerNotInSession(DinerId),
}

/// The sharers that go with `sharing`, each once and in order of id: at least two diners of the session for a
/// group, none otherwise. The owner counts only if named.
///
/// # Errors
/// [`SharingError`].
pub fn sharers_for(
    sharing: Sharing,
    named: &[DinerId],
    diners: &[Diner],
) -> Result<Vec<DinerId>, SharingError> {
    if sharing != Sharing::Group {
        return if named.is_empty() {
            Ok(Vec::new())
        } else {
            Err(SharingError::SharersNotAllowed)
        };
    }
    let distinct: BTreeSet<_> = named.iter().copied().collect();
    let at_the_table = |id: &DinerId| diners.iter().any(|diner| diner.id == *id);
    if let Some(stranger) = distinct.iter().find(|id| !at_the_table(id)) {
        return Err(SharingError::DinerNotInSession(*stranger));
    }
    if distinct.len() < 2 {
        return Err(SharingError::TooFewSharers);
    }
    Ok(distinct.into_iter().collect())
}

/// Whether the diner may change this line: the owner always, sharers of a group, anyone when it is the table's.
pub fn may_change(line: &CartLine, diner_id: DinerId) -> bool {
    line.diner_id == diner_id
        || match line.sharing {
            Sharing::Own => false,
            Sharing::Group => line.sharers.contains(&diner_id),
            Sharing::Table => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::fixtures::id;
    use crate::session::fixtures::diner;

    #[test]
    fn a_group_is_two_different_diners_of_the_session() {
        let diners = [diner("Ana"), diner("Bruno"), diner("Carla")];
        let (ana, bruno) = (id("Ana"), id("Bruno"));
        let sharers = |sharing, named: &[DinerId]| sharers_for(sharing, named, &diners);
        assert_eq!(sharers(Sharing::Group, &[bruno, ana, bruno]).unwrap().len(), 2);
        assert!(sharers(Sharing::Group, &[bruno, ana]).unwrap().is_sorted());
        assert_eq!(
            sharers(Sharing::Group, &[ana, ana]),
            Err(SharingError::TooFewSharers)
        );
        let stranger = id("stranger");
        assert_eq!(
            sharers(Sharing::Group, &[stranger]),
            Err(SharingError::DinerNotInSession(stranger))
        );
        assert_eq!(
            sharers(Sharing::Own, &[ana]),
            Err(SharingError::SharersNotAllowed)
        );
        assert_eq!(sharers(Sharing::Table, &[]), Ok(vec![]));
    }
}
