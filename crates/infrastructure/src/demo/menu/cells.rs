//! Reads cell after cell of a line.

use comanda_domain::menu::Station;

use super::{Cell, Names, Wrong};

/// The cells of a line, from left to right.
pub(super) struct Cells<'a>(std::str::Split<'a, char>);

impl<'a> Cells<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        Self(line.split('|'))
    }

    pub(super) fn next(&mut self) -> &'a str {
        self.0.next().map_or("", str::trim)
    }

    fn needed(&mut self, cell: Cell) -> Result<&'a str, Wrong> {
        Some(self.next())
            .filter(|text| !text.is_empty())
            .ok_or(Wrong::Missing(cell))
    }

    pub(super) fn code(&mut self) -> Result<String, Wrong> {
        let code = self.needed(Cell::Code)?;
        let fits = code.len() <= 40
            && code
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        fits.then(|| code.to_owned())
            .ok_or_else(|| not_a(Cell::Code, code))
    }

    pub(super) fn names(&mut self) -> Result<Names, Wrong> {
        let es = self.needed(Cell::Spanish)?.to_owned();
        Ok(Names {
            es,
            en: self.needed(Cell::English)?.to_owned(),
        })
    }

    pub(super) fn pesos(&mut self) -> Result<i64, Wrong> {
        let text = self.needed(Cell::Price)?;
        text.parse::<u32>()
            .map(i64::from)
            .map_err(|_| not_a(Cell::Price, text))
    }

    pub(super) fn station(&mut self) -> Result<Option<Station>, Wrong> {
        match self.next() {
            "" => Ok(None),
            name => Station::parse(name)
                .map(Some)
                .ok_or_else(|| not_a(Cell::Station, name)),
        }
    }

    pub(super) fn range(&mut self) -> Result<(i32, i32), Wrong> {
        let text = self.needed(Cell::Range)?;
        text.split_once("..")
            .and_then(|(min, max)| min.parse().ok().zip(max.parse().ok()))
            .filter(|(min, max)| 0 <= *min && min <= max && (1..=20).contains(max))
            .ok_or_else(|| not_a(Cell::Range, text))
    }

    pub(super) fn max_qty(&mut self) -> Result<i32, Wrong> {
        let text = self.next();
        if text.is_empty() {
            return Ok(1);
        }
        text.strip_prefix("max ")
            .and_then(|number| number.parse().ok())
            .filter(|number| (1..=10).contains(number))
            .ok_or_else(|| not_a(Cell::MaxQty, text))
    }

    pub(super) fn end(mut self) -> Result<(), Wrong> {
        match self.0.find(|cell| !cell.trim().is_empty()) {
            Some(more) => Err(Wrong::TooMany(more.trim().to_owned())),
            None => Ok(()),
        }
    }
}

fn not_a(cell: Cell, text: &str) -> Wrong {
    Wrong::NotA {
        cell,
        text: text.to_owned(),
    }
}
