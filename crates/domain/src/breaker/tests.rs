use chrono::DateTime;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn second(n: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000 + n, 0).unwrap()
}

const MIDDLE: Draw = Draw(u16::MAX / 2);

fn exact() -> BreakerSettings {
    BreakerSettings {
        jitter_percent: 0,
        ..BreakerSettings::default()
    }
}

fn fail(breaker: &mut Breaker, at: Timestamp) {
    let permit = breaker.allow(at, MIDDLE).unwrap();
    breaker.record(permit, CallOutcome::Failed, at);
}

/// Opened at second 0.
fn opened(settings: BreakerSettings) -> Breaker {
    let mut breaker = Breaker::new(settings);
    (0..5).for_each(|_| fail(&mut breaker, second(0)));
    breaker
}

#[test]
fn it_opens_half_opens_by_time_alone_and_closes() {
    let mut breaker = opened(exact());
    assert_eq!(breaker.news(second(0)), Some(BreakerState::Open));
    assert_eq!(breaker.news(second(1)), None);
    assert_eq!(
        breaker.allow(second(29), MIDDLE),
        Err(BreakerOpen { retry_at: second(30) })
    );
    assert_eq!(breaker.state(second(30)), BreakerState::HalfOpen);
    let first = breaker.allow(second(31), MIDDLE).unwrap();
    let other = breaker.allow(second(33), MIDDLE).unwrap();
    assert!(first.is_trial() && other.is_trial());
    assert_eq!(
        breaker.allow(second(34), MIDDLE),
        Err(BreakerOpen { retry_at: second(41) })
    );
    breaker.record(other, CallOutcome::Answered, second(35));
    assert_eq!(breaker.news(second(35)), Some(BreakerState::HalfOpen));
    breaker.record(first, CallOutcome::Answered, second(36));
    assert_eq!(breaker.news(second(36)), Some(BreakerState::Closed));
    assert!(!breaker.allow(second(36), MIDDLE).unwrap().is_trial());
}

#[test]
fn failures_count_only_in_a_row() {
    let mut breaker = Breaker::new(exact());
    for _ in 0..3 {
        (0..4).for_each(|_| fail(&mut breaker, second(0)));
        let permit = breaker.allow(second(0), MIDDLE).unwrap();
        breaker.record(permit, CallOutcome::Answered, second(0));
    }
    assert_eq!(breaker.state(second(0)), BreakerState::Closed);
}

#[test]
fn a_trial_that_never_reports_has_failed_at_its_deadline() {
    let mut breaker = opened(exact());
    let lost = breaker.allow(second(30), MIDDLE).unwrap();
    assert_eq!(breaker.state(second(39)), BreakerState::HalfOpen);
    assert_eq!(breaker.state(second(40)), BreakerState::Open);
    assert_eq!(breaker.state(second(69)), BreakerState::Open);
    assert_eq!(breaker.state(second(70)), BreakerState::HalfOpen);
    // What it says after that is no news, neither good nor bad.
    let again = breaker.allow(second(70), MIDDLE).unwrap();
    breaker.record(lost, CallOutcome::Failed, second(71));
    assert_eq!(breaker.state(second(71)), BreakerState::HalfOpen);
    breaker.record(again, CallOutcome::Answered, second(71));
    assert_eq!(breaker.state(second(71)), BreakerState::HalfOpen);
}

#[test]
fn calls_from_before_it_opened_say_nothing_about_now() {
    let mut breaker = Breaker::new(exact());
    let late: Vec<_> = (0..3)
        .map(|_| breaker.allow(second(0), MIDDLE).unwrap())
        .collect();
    (0..5).for_each(|_| fail(&mut breaker, second(0)));
    for permit in late {
        breaker.record(permit, CallOutcome::Answered, second(31));
    }
    assert_eq!(breaker.state(second(31)), BreakerState::HalfOpen);
}

/// The same machine, told second by second and by numbers of its own.
#[derive(Debug)]
struct Model {
    /// What is left of each trial, in seconds, by the number of the call.
    trials: Vec<(usize, i64)>,
    /// Calls whose report counts.
    current: Vec<usize>,
    failures: u32,
    successes: u32,
    open_for: Option<i64>,
    half_open: bool,
}

impl Model {
    fn closed() -> Self {
        Self {
            trials: vec![],
            current: vec![],
            failures: 0,
            successes: 0,
            open_for: None,
            half_open: false,
        }
    }

    fn opened() -> Self {
        Self {
            open_for: Some(30),
            ..Self::closed()
        }
    }

    fn state(&self) -> BreakerState {
        match (self.open_for, self.half_open) {
            (Some(_), _) => BreakerState::Open,
            (None, true) => BreakerState::HalfOpen,
            (None, false) => BreakerState::Closed,
        }
    }

    fn tick(&mut self) {
        for (_, left) in &mut self.trials {
            *left -= 1;
        }
        if self.trials.iter().any(|(_, left)| *left == 0) {
            *self = Self::opened();
        } else if let Some(left) = &mut self.open_for {
            *left -= 1;
            if *left == 0 {
                *self = Self {
                    half_open: true,
                    ..Self::closed()
                };
            }
        }
    }

    fn allow(&mut self, call: usize) -> bool {
        if self.open_for.is_some() || (self.half_open && self.trials.len() == 2) {
            return false;
        }
        if self.half_open {
            self.trials.push((call, 10));
        }
        self.current.push(call);
        true
    }

    fn report(&mut self, call: usize, failed: bool) {
        if !self.current.contains(&call) {
            return;
        }
        self.current.retain(|other| *other != call);
        self.trials.retain(|(other, _)| *other != call);
        match (self.half_open, failed) {
            (true, true) => *self = Self::opened(),
            (true, false) if self.successes == 1 => *self = Self::closed(),
            (true, false) => self.successes += 1,
            (false, true) if self.failures == 4 => *self = Self::opened(),
            (false, true) => self.failures += 1,
            (false, false) => self.failures = 0,
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Call,
    Report { which: usize, failed: bool },
    Forget { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop_oneof![1_i64..4, 5_i64..45].prop_map(Step::Wait),
        6 => Just(Step::Call),
        5 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(which, failed)| Step::Report { which, failed }),
        1 => any::<usize>().prop_map(|which| Step::Forget { which }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_does_what_the_model_does(steps in vec(step(), 0..120)) {
        let mut breaker = Breaker::new(exact());
        let mut model = Model::closed();
        let mut under_way: Vec<(usize, Permit)> = vec![];
        let mut now = 0;
        for (call, step) in steps.into_iter().enumerate() {
            match step {
                Step::Wait(seconds) => {
                    now += seconds;
                    (0..seconds).for_each(|_| model.tick());
                }
                Step::Call => {
                    let answer = breaker.allow(second(now), MIDDLE);
                    prop_assert_eq!(answer.is_ok(), model.allow(call));
                    match answer {
                        Ok(permit) => under_way.push((call, permit)),
                        Err(BreakerOpen { retry_at }) => prop_assert!(retry_at > second(now)),
                    }
                }
                Step::Report { which, failed } if !under_way.is_empty() => {
                    let (call, permit) = under_way.swap_remove(which % under_way.len());
                    let outcome = if failed { CallOutcome::Failed } else { CallOutcome::Answered };
                    breaker.record(permit, outcome, second(now));
                    model.report(call, failed);
                }
                Step::Forget { which } if !under_way.is_empty() => {
                    drop(under_way.swap_remove(which % under_way.len()));
                }
                Step::Report { .. } | Step::Forget { .. } => {}
            }
            prop_assert_eq!(breaker.state(second(now)), model.state());
        }
        // Whatever happened, time and two good calls close it.
        let later = second(now + 3600);
        prop_assert_ne!(breaker.state(later), BreakerState::Open);
        for _ in 0..2 {
            let permit = breaker.allow(later, MIDDLE).unwrap();
            breaker.record(permit, CallOutcome::Answered, later);
        }
        prop_assert_eq!(breaker.state(later), BreakerState::Closed);
    }

    #[test]
    fn it_stays_open_for_half_a_minute_give_or_take_a_tenth(draw: u16) {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for _ in 0..5 {
            let permit = breaker.allow(second(0), Draw(draw)).unwrap();
            breaker.record(permit, CallOutcome::Failed, second(0));
        }
        let BreakerOpen { retry_at } = breaker.allow(second(0), MIDDLE).unwrap_err();
        prop_assert!(second(27) <= retry_at && retry_at <= second(33), "{retry_at}");
        prop_assert_eq!(breaker.state(retry_at), BreakerState::HalfOpen);
    }
}
