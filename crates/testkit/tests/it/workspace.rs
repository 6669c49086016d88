//! Who may use whom: the walls of the house, read from the manifests by a machine.
//!
//! When a test here stops you, the code is most likely in the wrong room: see `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package};

const ROOT_MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");

/// Each crate of the workspace with the crates of ours that its code may use.
const DOORS: [(&str, &[&str]); 6] = [
    ("comanda-domain", &[]),
    ("comanda-security", &["comanda-domain"]),
    ("comanda-infrastructure", &["comanda-domain", "comanda-security"]),
    (
        "comanda-api",
        &["comanda-domain", "comanda-security", "comanda-infrastructure"],
    ),
    (
        "comanda-cli",
        &["comanda-domain", "comanda-security", "comanda-infrastructure"],
    ),
    (
        "comanda-testkit",
        &[
            "comanda-domain",
            "comanda-security",
            "comanda-infrastructure",
            "comanda-api",
        ],
    ),
];

/// The crates whose tests may use the testkit. Domain and security need no application to be tested.
const TESTED_WITH_TESTKIT: [&str; 3] = ["comanda-infrastructure", "comanda-api", "comanda-cli"];

/// All that the pure crates may use from outside. Each entry is a decision.
const OUTSIDE: [(&str, &[&str]); 2] = [
    (
        "comanda-domain",
        &["chrono", "chrono-tz", "serde", "thiserror", "uuid"],
    ),
    (
        "comanda-security",
        &[
            "argon2",
            "base64",
            "chrono",
            "ipnet",
            "ring",
            "secrecy",
            "serde",
            "serde_json",
            "thiserror",
            "unicode-normalization",
            "url",
            "uuid",
        ],
    ),
];

/// Whoever's name contains the word is used by these crates only, in tests too.
const ONLY_IN: [(&str, &[&str]); 5] = [
    ("diesel", &["comanda-infrastructure"]),
    ("redis", &["comanda-infrastructure"]),
    ("actix", &["comanda-api"]),
    ("ring", &["comanda-security"]),
    ("clap", &["comanda-api", "comanda-cli"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(ROOT_MANIFEST)
        .no_deps()
        .exec()
        .unwrap()
}

fn is_ours(dependency: &Dependency) -> bool {
    dependency.name.starts_with("comanda-")
}

fn is_for_tests(dependency: &Dependency) -> bool {
    dependency.kind == DependencyKind::Development
}

/// A name made of several words, `deadpool-redis`, contains each of them; `string` does not contain `ring`.
fn has_word(name: &str, word: &str) -> bool {
    name.split(['-', '_']).any(|part| part == word)
}

/// Collects complaints about all dependencies of all members, so that one run shows every breach.
fn breaches(complain: impl Fn(&Package, &Dependency) -> bool) -> Vec<String> {
    let metadata = metadata();
    let edges = metadata
        .packages
        .iter()
        .flat_map(|package| package.dependencies.iter().map(move |to| (package, to)));
    edges
        .filter(|(package, dependency)| complain(package, dependency))
        .map(|(package, dependency)| {
            format!("{} → {} ({:?})", package.name, dependency.name, dependency.kind)
        })
        .collect()
}

#[test]
fn every_room_is_on_the_plan() {
    let plan: BTreeSet<String> = DOORS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let built: BTreeSet<String> = metadata()
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    assert_eq!(built, plan);
}

#[test]
fn our_crates_use_each_other_only_through_the_doors() {
    let doors = BTreeMap::from(DOORS);
    let found = breaches(|package, to| {
        let name = package.name.as_str();
        let through_a_door = doors[name].contains(&to.name.as_str());
        let testkit = is_for_tests(to) && to.name == "comanda-testkit" && TESTED_WITH_TESTKIT.contains(&name);
        is_ours(to) && !through_a_door && !testkit
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_pure_crates_use_nothing_but_what_was_decided() {
    let allowed = BTreeMap::from(OUTSIDE);
    let found = breaches(|package, to| {
        let allowed = allowed.get(package.name.as_str());
        !is_ours(to)
            && !is_for_tests(to)
            && allowed.is_some_and(|allowed| !allowed.contains(&to.name.as_str()))
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn each_framework_stays_in_its_room() {
    let found = breaches(|package, to| {
        ONLY_IN
            .iter()
            .any(|(word, rooms)| has_word(&to.name, word) && !rooms.contains(&package.name.as_str()))
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_member_inherits_versions_and_lints() {
    for package in metadata().packages {
        let manifest: toml::Table = fs::read_to_string(&package.manifest_path)
            .unwrap()
            .parse()
            .unwrap();
        assert!(inherits(&manifest["lints"]), "{}: lints", package.name);
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let value = manifest["package"].get(key);
            assert!(value.is_some_and(inherits), "{}: package.{key}", package.name);
        }
        for (name, requirement) in requirements(&manifest) {
            let own = ["version", "path", "git"]
                .iter()
                .find(|key| requirement.get(key).is_some());
            assert!(
                inherits(requirement) && own.is_none(),
                "{}: {name} has a version of its own",
                package.name
            );
        }
    }
}

fn inherits(value: &toml::Value) -> bool {
    value.get("workspace").and_then(toml::Value::as_bool) == Some(true)
}

/// All dependencies a manifest names, also those of single platforms.
fn requirements(manifest: &toml::Table) -> Vec<(&String, &toml::Value)> {
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    let platforms = platforms
        .into_iter()
        .flat_map(toml::Table::values)
        .filter_map(toml::Value::as_table);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    std::iter::once(manifest)
        .chain(platforms)
        .flat_map(|tables| kinds.iter().filter_map(|kind| tables.get(*kind)?.as_table()))
        .flatten()
        .collect()
}

#[test]
fn every_version_says_what_it_is_for() {
    let text = fs::read_to_string(ROOT_MANIFEST).unwrap();
    let section = text
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let silent: Vec<&str> = section
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with('#') && !line.starts_with("comanda-"))
        .filter(|line| {
            line.split_once(" # ")
                .is_none_or(|(_, purpose)| purpose.trim().is_empty())
        })
        .collect();
    assert_eq!(silent, Vec::<&str>::new());
}

#[test]
fn words_are_whole_words() {
    assert!(
        has_word("ring", "ring")
            && has_word("deadpool-redis", "redis")
            && has_word("diesel_migrations", "diesel")
    );
    assert!(!has_word("string", "ring") && !has_word("ringbuf", "ring"));
}
