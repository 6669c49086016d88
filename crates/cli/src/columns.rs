//! Aligned columns.

use std::fmt::Write;

/// On which side the texts of a column begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A line of cells of the given widths, without spaces at its end.
pub fn line(columns: &[(Side, usize)], cells: &[&str]) -> String {
    let mut line = String::new();
    for ((side, width), cell) in columns.iter().zip(cells) {
        // Writing into a String cannot fail.
        let _ = match side {
            Side::Left => write!(line, "{cell:<width$}  "),
            Side::Right => write!(line, "{cell:>width$}  "),
        };
    }
    line.truncate(line.trim_end().len());
    line
}

/// A table whose columns are as wide as their widest cell.
pub fn table(heads: &[(Side, &str)], rows: &[Vec<String>]) -> String {
    let width = |column: usize, head: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .max(head.chars().count())
    };
    let columns: Vec<(Side, usize)> = heads
        .iter()
        .enumerate()
        .map(|(column, (side, head))| (*side, width(column, head)))
        .collect();
    let head: Vec<&str> = heads.iter().map(|(_, head)| *head).collect();
    let mut text = line(&columns, &head);
    text.push('\n');
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        text.push_str(&line(&columns, &cells));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [
            vec!["Salón".to_owned(), "8".to_owned()],
            vec!["Bar".to_owned(), "12".to_owned()],
        ];
        let text = table(&[(Side::Left, "SECTOR"), (Side::Right, "TABLES")], &rows);
        assert_eq!(text, "SECTOR  TABLES\nSalón        8\nBar         12\n");
    }
}
