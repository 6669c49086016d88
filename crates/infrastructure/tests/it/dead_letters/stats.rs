//! The count.

use comanda_domain::dead_letter::{ErrorClass, LetterState, Source};
use comanda_infrastructure::dead_letters::{Run, stats};

use super::morgue::Morgue;

#[tokio::test]
async fn the_count_is_exact_the_moment_a_letter_dies() {
    let morgue = Morgue::new().await;
    let count = async || stats(&morgue.database.relay).await.unwrap();
    assert_eq!((count().await.total, count().await.groups.len()), (0, 0));
    morgue.bury(Source::Webhook, ErrorClass::Retryable, "one").await;
    assert_eq!(count().await.total, 1);
    morgue
        .bury(Source::ProviderNotification, ErrorClass::Unknown, "two")
        .await;
    morgue
        .bury(Source::ProviderNotification, ErrorClass::Unknown, "three")
        .await;
    let oldest = count().await.groups[1].oldest;
    assert!(oldest < morgue.now(), "{oldest}");
    morgue.processor().process(&Run::default()).await.unwrap();
    let stats = count().await;
    let groups: Vec<_> = stats
        .groups
        .iter()
        .map(|g| (g.source, g.state, g.count))
        .collect();
    assert_eq!(
        groups,
        [
            (Source::ProviderNotification, LetterState::Pending, 2),
            (Source::Webhook, LetterState::Resolved, 1),
        ]
    );
    let classes: Vec<_> = stats
        .classes
        .iter()
        .map(|c| (c.source, c.error_class, c.error_code.as_str(), c.count, c.open))
        .collect();
    assert_eq!(
        classes,
        [
            (Source::ProviderNotification, ErrorClass::Unknown, "test", 2, 2),
            (Source::Webhook, ErrorClass::Retryable, "test", 1, 0),
        ]
    );
    assert!(stats.is_conserved(), "{stats:?}");
}

/// A letter without its delivery, as a delivery that was given up without its letter, shows.
#[tokio::test]
async fn what_is_not_conserved_shows() {
    let morgue = Morgue::new().await;
    morgue.bury(Source::Webhook, ErrorClass::Unknown, "one").await;
    let stats = stats(&morgue.database.relay).await.unwrap();
    assert!(!stats.is_conserved(), "{stats:?}");
    let line = &stats.conservation[0];
    assert_eq!((line.queue.as_str(), line.accepted, line.dead), ("webhook", 0, 1));
}
