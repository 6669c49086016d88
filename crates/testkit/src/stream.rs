//! A screen that listens to server-sent events, with a reader that is not ours.

use std::time::Duration;

use serde_json::Value;

use crate::Client;

/// How long a listener waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream.
pub struct Stream {
    response: reqwest::Response,
    text: Vec<u8>,
}

/// One event, as a browser gives it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    /// The id of the stream after it.
    pub id: Option<String>,
    /// Its name.
    pub event: String,
    /// What it carries.
    pub data: Value,
    /// After how many milliseconds to come back, if it says so.
    pub retry: Option<u64>,
}

impl Stream {
    /// Opens `/v1/events/stream` with this query.
    pub async fn open(who: &Client, query: &str) -> Self {
        let response = who.stream(&format!("/v1/events/stream{query}")).await;
        assert_eq!(response.status(), 200, "{query}: {response:?}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: Vec::new(),
        }
    }

    /// The next event; nothing once the stream has ended.
    pub async fn hear(&mut self) -> Option<Sent> {
        let mut sent = Sent::default();
        loop {
            let line = self.line().await?;
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => sent.id = Some(value.to_owned()),
                "event" => value.clone_into(&mut sent.event),
                "data" => sent.data = serde_json::from_str(value).expect("data is JSON on one line"),
                "retry" => sent.retry = Some(value.parse().expect("milliseconds")),
                // A comment, or the end of something that is no event.
                "" if line.is_empty() && (!sent.event.is_empty() || sent.retry.is_some()) => {
                    return Some(sent);
                }
                "" => {}
                other => panic!("no such field: {other}"),
            }
        }
    }

    /// The next event of this name; others are passed over.
    pub async fn event(&mut self, name: &str) -> Sent {
        loop {
            let sent = self.hear().await;
            let sent = sent.unwrap_or_else(|| panic!("the stream ended before {name}"));
            if sent.event == name {
                return sent;
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                let line = String::from_utf8(line).expect("UTF-8");
                return Some(line.trim_end_matches('\n').to_owned());
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("something is heard in time");
            self.text.extend(chunk.expect("the stream can be read")?);
        }
    }
}
