//! What operators do with letters.

use comanda_domain::dead_letter::{ErrorClass, LetterState, Source};
use comanda_domain::ids::DeadLetterId;
use comanda_infrastructure::dead_letters::{Actor, Hand, Move, Moved, Outcome, Target};
use uuid::Uuid;

use super::morgue::Morgue;

const WEBHOOK: Source = Source::Webhook;

impl Morgue {
    async fn hand(&self, what: Move, target: Target, dry_run: bool) -> Vec<Moved> {
        let hand = Hand {
            what,
            target,
            note: Some("looked at it".to_owned()),
            dry_run,
        };
        let operator = self.processor_of(Actor::Operator("olga".to_owned()));
        operator.by_hand(&hand).await.unwrap()
    }

    async fn one(&self, what: Move, id: DeadLetterId) -> Outcome {
        self.hand(what, Target::Ids(vec![id]), false).await[0].result
    }
}

#[tokio::test]
async fn a_letter_is_archived_reopened_retried_and_discarded_by_hand() {
    let morgue = Morgue::new().await;
    let id = morgue.bury(WEBHOOK, ErrorClass::Unknown, "fail").await;
    assert_eq!(morgue.one(Move::Archive, id).await, Outcome::Archived);
    assert_eq!(morgue.column(id, "resolved_by").await.unwrap(), "operator:olga");
    assert_eq!(morgue.exported().len(), 1);
    assert_eq!(morgue.one(Move::Archive, id).await, Outcome::Refused);
    assert_eq!(morgue.one(Move::Discard, id).await, Outcome::Refused);
    assert_eq!(morgue.one(Move::Retry, id).await, Outcome::Refused);
    assert_eq!(morgue.one(Move::Reopen, id).await, Outcome::Reopened);
    assert_eq!(morgue.column(id, "note").await.unwrap(), "looked at it");
    assert_eq!(morgue.one(Move::Retry, id).await, Outcome::Failed);
    assert_eq!(morgue.state(id).await, "pending");
    assert_eq!(morgue.one(Move::Discard, id).await, Outcome::Discarded);
    assert_eq!(morgue.column(id, "note").await.unwrap(), "looked at it");
    for what in [Move::Retry, Move::Archive, Move::Discard, Move::Reopen] {
        assert_eq!(morgue.one(what, id).await, Outcome::Refused, "{what:?}");
    }
    assert_eq!(
        morgue.one(Move::Retry, Uuid::nil().into()).await,
        Outcome::NotFound
    );

    let rows = morgue
        .client
        .query(
            "SELECT action, actor_kind, actor_label FROM audit_stage ORDER BY stage_id",
            &[],
        )
        .await
        .unwrap();
    let trace: Vec<[String; 3]> = rows.iter().map(|row| [0, 1, 2].map(|n| row.get(n))).collect();
    let expected = ["archive", "reopen", "retry", "put_back", "discard"];
    assert_eq!(
        trace,
        expected.map(|action| [
            format!("dead_letter.{action}"),
            "operator".to_owned(),
            "olga".to_owned()
        ])
    );
}

/// By itself the processor would archive it again at once.
#[tokio::test]
async fn what_was_reopened_waits_for_a_person() {
    let morgue = Morgue::new().await;
    let id = morgue.bury(WEBHOOK, ErrorClass::Unrecoverable, "fine").await;
    assert_eq!(morgue.run().await.archived, 1);
    assert_eq!(morgue.one(Move::Reopen, id).await, Outcome::Reopened);
    let report = morgue.run().await;
    assert_eq!((report.kept, report.archived), (1, 0), "{report:?}");
    assert_eq!(morgue.one(Move::Retry, id).await, Outcome::Resolved);
    assert_eq!(morgue.count("done").await, 1);
}

#[tokio::test]
async fn all_of_a_source_are_moved_and_a_dry_run_moves_none() {
    let morgue = Morgue::new().await;
    for n in 0..5 {
        morgue
            .bury(Source::Event, ErrorClass::Unknown, &format!("event{n}"))
            .await;
    }
    let other = morgue.bury(WEBHOOK, ErrorClass::Unknown, "other").await;
    let before = morgue.dump().await;
    let planned = morgue.hand(Move::Archive, Target::All(Source::Event), true).await;
    assert_eq!(morgue.dump().await, before);
    assert!(morgue.exported().is_empty());
    let steps: Vec<_> = planned
        .iter()
        .map(|moved| (moved.from, moved.to, moved.result))
        .collect();
    assert_eq!(
        steps,
        [(
            Some(LetterState::Pending),
            Some(LetterState::Archived),
            Outcome::Planned
        ); 5]
    );
    let retried = morgue.hand(Move::Retry, Target::All(Source::Event), false).await;
    assert!(
        retried.iter().all(|moved| moved.result == Outcome::NoHandler),
        "{retried:?}"
    );
    assert_eq!(morgue.dump().await, before);
    let archived = morgue
        .hand(Move::Archive, Target::All(Source::Event), false)
        .await;
    assert_eq!(archived.len(), 5);
    assert_eq!(morgue.exported().len(), 5);
    assert_eq!(morgue.state(other).await, "pending");
    let reopened = morgue.hand(Move::Reopen, Target::All(Source::Event), false).await;
    assert_eq!(reopened.len(), 5);
}
