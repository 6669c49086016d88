//! The archive outside the database: one line of JSON for each archived letter, a file per day.
//!
//! The line is on the disk before the letter changes its state. Whoever dies in between repeats it; the letter's id
//! in the line tells.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use comanda_domain::Timestamp;
use serde::Serialize;

use super::Letter;

/// Why a letter was not exported; it stays as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// The folder or the file.
    #[error("cannot export to {path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The process is ending.
    #[error("the export was interrupted")]
    Interrupted,
}

#[derive(Serialize)]
struct Line<'a> {
    exported_at: Timestamp,
    #[serde(flatten)]
    letter: &'a Letter,
}

/// Appends a letter to the file of the day, and returns once it is on the disk.
///
/// # Errors
/// [`ExportError`].
pub(super) async fn append(dir: &Path, letter: &Letter, now: Timestamp) -> Result<(), ExportError> {
    let path = dir.join(file_name(now.date_naive()));
    let line = Line {
        exported_at: now,
        letter,
    };
    let bytes = serde_json::to_vec(&line).map_err(|error| ExportError::File {
        path: path.clone(),
        cause: error.into(),
    });
    let (dir, bytes) = (dir.to_owned(), bytes?);
    let written = tokio::task::spawn_blocking(move || {
        write(&dir, &path, bytes).map_err(|cause| ExportError::File { path, cause })
    });
    written.await.map_err(|_| ExportError::Interrupted)?
}

fn file_name(day: NaiveDate) -> String {
    format!("dead-letters-{day}.ndjson")
}

fn write(dir: &Path, path: &Path, mut line: Vec<u8>) -> io::Result<()> {
    // Payloads are guests' business: nobody else reads them.
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    // Other processes append to the same file.
    file.lock()?;
    if is_torn(&mut file)? {
        line.insert(0, b'\n');
    }
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_all()?;
    // The name of a new file is on the disk only with its folder.
    File::open(dir)?.sync_all()
}

/// Whether whoever wrote last died within a line.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
