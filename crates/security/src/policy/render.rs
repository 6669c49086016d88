//! The table as a page of the documentation.

use std::fmt::{self, Write as _};

use super::table::{ApiScope, Mark, RULES, Reach, Rule};

const HEAD: &str = "\
# Who may do what

Written from the table in `crates/security/src/policy/table.rs`; a test compares the two, and writes this page when
`COMANDA_UPDATE_DOCS=1` is set: `COMANDA_UPDATE_DOCS=1 cargo test -p comanda-security page`.

`•` may, `◦` may under the condition, blank may not. Roles count in the branch of the object only, and add up
there; being an owner gives no right that its own column does not show. What belongs to the *tenant* needs a role
in any branch where no branch is named. Guests act in their own *session* only. A table token reads the session
and the menu and registers, nothing else. An API key acts in the branches given to it, and finds nothing elsewhere.

| Action | Diner | Waiter | Kitchen | Manager | Admin | Owner | API scope | Belongs to | Condition |
|---|---|---|---|---|---|---|---|---|---|
";

/// `docs/authorisation.md`, as it must read.
pub fn authorisation_table() -> String {
    let mut page = HEAD.to_owned();
    for rule in RULES {
        // Writing to a `String` cannot fail.
        let _ = write_row(&mut page, rule);
    }
    page
}

fn write_row(page: &mut String, rule: &Rule) -> fmt::Result {
    write!(page, "| `{}` |", rule.action)?;
    for mark in rule.marks {
        page.push_str(match mark {
            Mark::Denied => " |",
            Mark::Allowed => " • |",
            Mark::Conditional => " ◦ |",
        });
    }
    match rule.scope {
        ApiScope::Never => page.push_str(" |"),
        ApiScope::Of(scope) => write!(page, " `{scope}` |")?,
        ApiScope::ByEvent => page.push_str(" by event |"),
        ApiScope::Any => page.push_str(" any |"),
    }
    page.push_str(match rule.reach {
        Reach::Tenant => " tenant |",
        Reach::Branch => " branch |",
        Reach::Session => " session |",
    });
    let condition = rule.condition;
    let gap = if condition.is_empty() { "" } else { " " };
    writeln!(page, "{gap}{condition} |")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/authorisation.md");

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "not a setting of the service: it lets the test write the page"
    )]
    fn the_page_shows_the_table() {
        if std::env::var("COMANDA_UPDATE_DOCS").is_ok_and(|update| update == "1") {
            std::fs::write(PAGE, authorisation_table()).unwrap();
        }
        let page = std::fs::read_to_string(PAGE).unwrap();
        assert_eq!(
            page,
            authorisation_table(),
            "write it again as its first lines say"
        );
    }
}
