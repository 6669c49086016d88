//! Finding the values of settings, and gathering what is wrong with them.

use std::collections::BTreeSet;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::settings::{DefaultValue, SETTINGS, Setting};
use super::{Files, Problem, Vars};

const FILE: &str = "_FILE";
const PREFIX: &str = "COMANDA_";
/// Variables of the development tools and of the operator's commands, which share the prefix and say nothing to the
/// service.
const TOOLS: [&str; 4] = [
    "COMANDA_UPDATE_DOCS",
    super::command::API_KEY,
    super::command::KEY_ID,
    super::command::SIGNING_SECRET,
];
/// How many letters may differ for a name to be suggested.
const CLOSE: usize = 4;

pub(super) struct Reader<'a> {
    vars: &'a Vars,
    pub(super) files: &'a dyn Files,
    pub(super) problems: Vec<Problem>,
    /// Which settings were asked for; a test compares them with the table.
    pub(super) asked: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(vars: &'a Vars, files: &'a dyn Files) -> Self {
        Self {
            vars,
            files,
            problems: Vec::new(),
            asked: BTreeSet::new(),
        }
    }

    /// A variable that belongs to the system.
    pub(super) fn system(&self, name: &str) -> Option<&'a str> {
        self.vars
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether the setting is given, in either way.
    pub(super) fn is_given(&self, setting: &Setting) -> bool {
        self.vars.contains_key(setting.name) || self.vars.contains_key(&file_name(setting))
    }

    /// The value as it was given.
    pub(super) fn text(&mut self, setting: &Setting) -> Option<SecretString> {
        self.asked.insert(setting.name);
        let file = file_name(setting);
        let text = match (self.vars.get(setting.name), self.vars.get(&file)) {
            (Some(_), Some(_)) => {
                self.problem(
                    setting,
                    "is given twice",
                    &format!("keep either {} or {file}", setting.name),
                );
                return None;
            }
            (Some(text), None) => text.clone(),
            (None, Some(path)) => match self.files.read(Path::new(path)) {
                Ok(text) => text.trim_end_matches(['\r', '\n']).to_owned(),
                Err(error) => {
                    self.push(
                        &file,
                        format!("names a file that cannot be read ({error})"),
                        "check the path and its permissions",
                    );
                    return None;
                }
            },
            (None, None) => return None,
        };
        if text.trim().is_empty() {
            self.problem(setting, "is empty", "remove it or give it a value");
            return None;
        }
        Some(text.into())
    }

    /// The value, or the default, as `parse` reads it.
    pub(super) fn parsed<T>(
        &mut self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.parsed_or(setting, setting.meaning, parse)
    }

    /// As [`Self::parsed`], with a hint of its own.
    pub(super) fn parsed_or<T>(
        &mut self,
        setting: &Setting,
        hint: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let default = match setting.default {
            DefaultValue::Text(text) if !self.is_given(setting) => Some(SecretString::from(text)),
            _ => None,
        };
        let text = self.text(setting).or(default)?;
        match parse(text.expose_secret()) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(setting, &problem, hint);
                None
            }
        }
    }

    /// A secret value that `check` accepts; what it says must not repeat the value.
    pub(super) fn secret(
        &mut self,
        setting: &Setting,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Option<SecretString> {
        let text = self.text(setting)?;
        match check(text.expose_secret()) {
            Ok(()) => Some(text),
            Err(problem) => {
                self.problem(setting, &problem, setting.meaning);
                None
            }
        }
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, setting: &Setting, problem: &str, hint: &str) {
        self.push(setting.name, problem.to_owned(), hint);
    }

    /// Notes that a setting is missing, unless what was given is a problem already.
    pub(super) fn missing(&mut self, setting: &Setting, hint: &str) {
        if !self.is_given(setting) {
            self.problem(setting, "is missing", hint);
        }
    }

    fn push(&mut self, setting: &str, problem: String, hint: &str) {
        self.problems.push(Problem {
            setting: setting.to_owned(),
            problem,
            hint: hint.to_owned(),
        });
    }

    /// Notes every variable that looks like a setting and is none.
    pub(super) fn refuse_unknown(&mut self) {
        let known: Vec<String> = SETTINGS
            .iter()
            .flat_map(|setting| [setting.name.to_owned(), file_name(setting)])
            .collect();
        for name in self.vars.keys().filter(|name| name.starts_with(PREFIX)) {
            if known.contains(name) || TOOLS.contains(&name.as_str()) {
                continue;
            }
            let closest = known.iter().min_by_key(|known| distance(name, known));
            let hint = match closest.filter(|known| distance(name, known) <= CLOSE) {
                Some(closest) => format!("did you mean {closest}?"),
                None => "remove it; docs/configuration.md lists what can be set".to_owned(),
            };
            self.push(name, "is not a setting".to_owned(), &hint);
        }
    }
}

fn file_name(setting: &Setting) -> String {
    format!("{}{FILE}", setting.name)
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut above_left = i;
        let mut next = vec![left];
        for (y, above) in b.chars().zip(row.iter().skip(1)) {
            let changed = above_left + usize::from(x != y);
            left = changed.min(left + 1).min(above + 1);
            above_left = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn letters_are_counted() {
        for (a, b, letters) in [
            ("", "", 0),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("BIND", "BNID", 2),
            ("abc", "abc", 0),
        ] {
            assert_eq!(distance(a, b), letters, "{a} {b}");
            assert_eq!(distance(b, a), letters, "{b} {a}");
        }
    }
}
