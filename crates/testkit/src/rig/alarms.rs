//! What a process must never say of itself, whatever happens to it.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The publisher found more on the bus than the log holds: something was announced that is not committed.
const ALARMS: [&str; 1] = ["publisher.stopped"];

/// The first alarm of every log in the folder, in words.
pub fn alarms(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("our own folder").flatten();
    let mut found: Vec<String> = files
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "log"))
        .filter_map(|file| {
            let text = fs::read_to_string(file.path()).unwrap_or_default();
            let said = alarm(&text)?;
            Some(format!("{}: {said}", file.file_name().to_string_lossy()))
        })
        .collect();
    found.sort();
    found
}

fn alarm(log: &str) -> Option<String> {
    let mut lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.find(|line| ALARMS.iter().any(|alarm| line["message"] == **alarm))?;
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    Some(format!("{}: {}", text("message"), text("error")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_found_between_other_lines() {
        let log = r#"no JSON
{"level":"WARN","message":"publisher.failed","error":"no answer"}
{"level":"ERROR","message":"publisher.stopped","error":"shard 3: 12 over 9"}"#;
        assert_eq!(alarm(log).unwrap(), "publisher.stopped: shard 3: 12 over 9");
        assert_eq!(alarm(log.split_once("{\"level\":\"ERROR").unwrap().0), None);
    }
}
