//! What is sent once and not kept, on connections that do nothing else.

use std::sync::Arc;

use deadpool_redis::redis::Msg;
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream, StreamExt};
use tracing::warn;

use super::{BusError, Signal};
use crate::redis::{Redis, keys};

pub(super) fn signals(redis: Redis) -> BoxStream<'static, Result<Arc<Signal>, BusError>> {
    messages(redis, keys::SIGNALS)
        .filter_map(|message| ready(message.map(|message| signal(&message)).transpose()))
        .boxed()
}

/// One that cannot be read is lost, as signals may be.
fn signal(message: &Msg) -> Option<Arc<Signal>> {
    match serde_json::from_slice(message.get_payload_bytes()) {
        Ok(signal) => Some(Arc::new(signal)),
        Err(error) => {
            warn!(%error, channel = message.get_channel_name(), "bus.signal_unreadable");
            None
        }
    }
}

pub(super) fn rings(redis: Redis, instance: String) -> BoxStream<'static, Result<(), BusError>> {
    messages(redis, keys::BELL)
        .filter_map(move |message| {
            let heard = message.map(|message| message.get_payload_bytes() != instance.as_bytes());
            ready(heard.map(|others| others.then_some(())).transpose())
        })
        .boxed()
}

/// What is said on the channels of a pattern; ends with an error when the connection does.
fn messages(redis: Redis, pattern: &'static str) -> BoxStream<'static, Result<Msg, BusError>> {
    let ended = || Err(BusError::Unavailable("the connection has ended".to_owned()));
    stream::once(async move { redis.listen(pattern).await })
        .flat_map(move |listening| match listening {
            Ok(listening) => listening
                .into_on_message()
                .map(Ok)
                .chain(stream::once(ready(ended())))
                .boxed(),
            Err(error) => stream::once(ready(Err(error.into()))).boxed(),
        })
        .boxed()
}
