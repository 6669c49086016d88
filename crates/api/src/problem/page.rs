//! The error codes as a page of the documentation.

use std::fmt::Write;

use super::Code;

const HEAD: &str = "# Error codes

Written from the table in `crates/api/src/problem/codes.rs`; a test compares it and writes it again when
`COMANDA_UPDATE_DOCS=1` is set: `COMANDA_UPDATE_DOCS=1 cargo nextest run --workspace -E 'test(/documents/)'`.

Every refusal is an `application/problem+json` (RFC 9457) with `code`, which is stable, and `errors`, which names
each fault by its place. `↻` marks those where the same request can succeed later unchanged.

| Code | Status | Title | When |
|---|---|---|---|
";

/// The page `docs/errors.md`.
pub fn errors_page() -> String {
    let mut page = HEAD.to_owned();
    for info in Code::ALL.iter().map(|code| code.info()) {
        let retry = if info.retryable { " ↻" } else { "" };
        // Writing to a text cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {}{retry} | {} | {} |",
            info.name, info.status, info.title, info.when
        );
    }
    page
}
