//! Pass, fail or unknown. Unknown is red.

use std::collections::BTreeMap;

use super::faults::Fired;
use super::history::{Operation, Outcome};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything as promised, and enough of it.
    Pass,
    /// Something is not as promised.
    Fail(Vec<String>),
    /// Too little happened to say.
    Unknown(Vec<String>),
}

/// Acknowledged operations per fault, at least.
const FLOOR: usize = 5;

/// Judges a run: what the checker found, which faults were planned and fired, and what was asked.
pub fn judge(
    found: Vec<String>,
    planned: &BTreeMap<&'static str, usize>,
    fired: &Fired,
    operations: &[Operation],
) -> Verdict {
    if !found.is_empty() {
        return Verdict::Fail(found);
    }
    let mut unknown = fired.missing.clone();
    for (kind, wanted) in planned {
        let seen = fired.kinds.get(kind).copied().unwrap_or_default();
        if seen != *wanted {
            unknown.push(format!("{kind}: planned {wanted} times, seen {seen} times"));
        }
    }
    let acknowledged = acknowledged(operations);
    let floor = FLOOR * planned.values().sum::<usize>().max(1);
    if acknowledged < floor {
        unknown.push(format!(
            "{acknowledged} operations were acknowledged, fewer than {floor}"
        ));
    }
    if acknowledged * 10 < operations.len() * 9 {
        let all = operations.len();
        unknown.push(format!(
            "{acknowledged} of {all} operations were acknowledged, fewer than 90 %"
        ));
    }
    if unknown.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Unknown(unknown)
    }
}

/// How many operations ended well.
pub fn acknowledged(operations: &[Operation]) -> usize {
    let ok = |operation: &&Operation| operation.outcome == Outcome::Ok;
    operations.iter().filter(ok).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::history::Deed;

    fn operations(ok: usize, info: usize) -> Vec<Operation> {
        let operation = |outcome| Operation {
            deed: Deed::Line,
            key: None,
            outcome,
            round: None,
            attempts: 1,
            last: String::new(),
        };
        let mut all = vec![operation(Outcome::Ok); ok];
        all.extend(vec![operation(Outcome::Info); info]);
        all
    }

    fn fired(times: usize) -> Fired {
        Fired {
            kinds: BTreeMap::from([("kill api", times)]),
            missing: Vec::new(),
        }
    }

    #[test]
    fn a_fault_that_never_fired_leaves_it_open() {
        let planned = BTreeMap::from([("kill api", 2)]);
        assert_eq!(
            judge(Vec::new(), &planned, &fired(2), &operations(10, 0)),
            Verdict::Pass
        );
        let open = judge(Vec::new(), &planned, &fired(1), &operations(10, 0));
        assert!(matches!(open, Verdict::Unknown(_)), "{open:?}");
    }

    #[test]
    fn too_few_operations_leave_it_open() {
        let planned = BTreeMap::from([("kill api", 2)]);
        for (ok, info) in [(9, 0), (20, 3)] {
            let open = judge(Vec::new(), &planned, &fired(2), &operations(ok, info));
            assert!(matches!(open, Verdict::Unknown(_)), "{open:?}");
        }
    }

    #[test]
    fn what_was_found_counts_most() {
        let planned = BTreeMap::from([("kill api", 2)]);
        let found = vec!["x".to_owned()];
        assert_eq!(
            judge(found.clone(), &planned, &fired(0), &[]),
            Verdict::Fail(found)
        );
    }
}
