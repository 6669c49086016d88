//! Which of their excluded allergens the people of a line would meet.

use std::collections::BTreeSet;

use crate::diner::Diner;
use crate::ids::DinerId;
use crate::menu::LineAllergens;

/// Codes, sorted, of allergens that the owner or a sharer excludes and the item contains or may contain.
///
/// A line for the whole table names nobody else, so its owner counts alone; a line without owner and sharers has
/// no alerts. Alerts travel with the line to the kitchen and never block an order, whatever the mode.
pub fn allergen_alerts(
    diners: &[Diner],
    owner: Option<DinerId>,
    sharers: &[DinerId],
    allergens: &LineAllergens,
) -> Vec<String> {
    let excluded: BTreeSet<&str> = diners
        .iter()
        .filter(|diner| owner == Some(diner.id) || sharers.contains(&diner.id))
        .flat_map(|diner| &diner.preferences.exclude_allergens)
        .map(String::as_str)
        .collect();
    excluded
        .into_iter()
        .filter(|code| {
            let present = |codes: &[String]| codes.iter().any(|present| present == code);
            present(&allergens.contains) || present(&allergens.may_contain)
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::fixtures::id;
    use crate::session::fixtures::diner;

    fn avoiding(name: &str, codes: &[&str]) -> Diner {
        let mut diner = diner(name);
        diner.preferences.exclude_allergens = codes.iter().map(|code| (*code).to_owned()).collect();
        diner
    }

    #[test]
    fn owner_and_sharers_are_warned_of_contents_and_traces() {
        let diners = [
            avoiding("Ana", &["milk", "fish"]),
            avoiding("Bruno", &["eggs"]),
            avoiding("Carla", &["soy"]),
        ];
        let allergens = LineAllergens {
            contains: vec!["eggs".to_owned(), "soy".to_owned()],
            may_contain: vec!["milk".to_owned()],
        };
        let alerts = |owner, sharers: &[DinerId]| allergen_alerts(&diners, owner, sharers, &allergens);
        assert_eq!(alerts(Some(id("Ana")), &[]), ["milk"]);
        assert_eq!(
            alerts(Some(id("Ana")), &[id("Ana"), id("Bruno")]),
            ["eggs", "milk"]
        );
        assert!(alerts(None, &[]).is_empty());
    }
}
