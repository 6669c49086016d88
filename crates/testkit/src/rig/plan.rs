//! What will go wrong, and when: a pure function of the seed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dice::Dice;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of one of the two api processes.
    KillApi(usize),
    /// `kill -9` of one of the two gateways.
    KillGateway(usize),
    /// `kill -9` of one of the two workers.
    KillWorker(usize),
    /// `kill -9` of the worker that numbers the events.
    KillLeader,
    /// Redis saves, goes on, is killed with `kill -9` and comes back as it was saved.
    RollRedisBack,
    /// `kill -9` of Redis, which comes back empty.
    EmptyRedis,
    /// `kill -9` of PostgreSQL and all its sessions.
    KillPostgres,
    /// The worker that numbers the events stops, and goes on later.
    PauseLeader(Duration),
    /// One of the two workers stops, and goes on later.
    PauseWorker(usize, Duration),
    /// `FLUSHALL`
    FlushRedis,
}

impl Fault {
    /// Its kind, for counting.
    pub fn kind(self) -> &'static str {
        match self {
            Self::KillApi(_) => "kill api",
            Self::KillGateway(_) => "kill gateway",
            Self::KillWorker(_) => "kill worker",
            Self::KillLeader => "kill leader",
            Self::RollRedisBack => "roll Redis back",
            Self::EmptyRedis => "empty Redis",
            Self::KillPostgres => "kill PostgreSQL",
            Self::PauseLeader(_) => "pause leader",
            Self::PauseWorker(..) => "pause worker",
            Self::FlushRedis => "flush Redis",
        }
    }

    /// Whether a process dies of it.
    pub fn is_kill(self) -> bool {
        !matches!(
            self,
            Self::PauseLeader(_) | Self::PauseWorker(..) | Self::FlushRedis
        )
    }
}

/// A fault after some quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How long to wait before it.
    pub wait: Duration,
    /// What happens then.
    pub fault: Fault,
}

/// Faults with this many kills among them. Each round of ten kills has every kind, in an order of its own, so that
/// a short run has every kind as well.
pub fn plan(seed: u64, kills: usize, pace: Duration) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let mut steps = Vec::new();
    let mut killed = 0;
    while killed < kills {
        for fault in bag(&mut dice) {
            if killed == kills {
                break;
            }
            killed += usize::from(fault.is_kill());
            // Between half and one and a half times the pace.
            let wait = pace * u32::try_from(dice.between(50, 150)).expect("small") / 100;
            steps.push(Step { wait, fault });
        }
    }
    steps
}

fn bag(dice: &mut Dice) -> Vec<Fault> {
    let pause = |dice: &mut Dice| Duration::from_millis(dice.between(1_000, 5_000));
    let mut bag = vec![
        Fault::KillApi(0),
        Fault::KillApi(1),
        Fault::KillGateway(0),
        Fault::KillGateway(1),
        Fault::KillWorker(dice.coin()),
        Fault::KillLeader,
        Fault::KillLeader,
        Fault::RollRedisBack,
        Fault::EmptyRedis,
        Fault::KillPostgres,
        Fault::PauseLeader(pause(dice)),
        Fault::PauseWorker(dice.coin(), pause(dice)),
        Fault::FlushRedis,
    ];
    dice.shuffle(&mut bag);
    bag
}

/// How often each kind is in the plan.
pub fn kinds(steps: &[Step]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for step in steps {
        *kinds.entry(step.fault.kind()).or_default() += 1;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Duration = Duration::from_secs(2);

    #[test]
    fn the_seed_decides() {
        assert_eq!(plan(7, 60, PACE), plan(7, 60, PACE));
        assert_ne!(plan(7, 60, PACE), plan(8, 60, PACE));
    }

    #[test]
    fn the_kills_are_as_many_as_asked_for_and_of_every_kind() {
        for seed in 0..50 {
            for kills in [10, 13, 60] {
                let steps = plan(seed, kills, PACE);
                let killing = steps.iter().filter(|step| step.fault.is_kill()).count();
                assert_eq!(killing, kills, "seed {seed}");
                let killing = kinds(&steps).into_keys().filter(|kind| !kind.contains("pause"));
                assert!(killing.count() >= 7, "seed {seed}: {:?}", kinds(&steps));
            }
        }
    }

    #[test]
    fn faults_keep_the_pace() {
        for step in plan(3, 200, PACE) {
            assert!(step.wait >= PACE / 2 && step.wait <= PACE * 3 / 2, "{step:?}");
        }
    }
}
