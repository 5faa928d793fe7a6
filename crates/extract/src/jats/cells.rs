//! The rows of an article's table.

use super::text::inline;
use super::{Element, Inline};
use crate::inline::LeftOut;
use crate::table::{Cell, Row};

/// The rows of a table, and what is missing from its cells.
pub(super) fn rows(table: &Element) -> (Vec<Row>, Vec<LeftOut>) {
    let mut reader = Reader::default();
    reader.part(table, false);
    (reader.rows, reader.left_out)
}

#[derive(Default)]
struct Reader {
    rows: Vec<Row>,
    left_out: Vec<LeftOut>,
}

impl Reader {
    fn part(&mut self, part: &Element, in_head: bool) {
        for element in part.elements() {
            match element.name.as_str() {
                "tr" => {
                    let cells = element.elements().filter(|cell| matches!(cell.name.as_str(), "td" | "th"));
                    let cells = cells.map(|cell| self.cell(cell)).collect();
                    self.rows.push(Row { cells, is_head: in_head });
                }
                name => self.part(element, in_head || name == "thead"),
            }
        }
    }

    fn cell(&mut self, cell: &Element) -> Cell {
        let number = |name| cell.attribute(name).and_then(|value| value.trim().parse().ok());
        let mut line = Inline::default();
        inline(cell, &mut line);
        let line = line.finish();
        self.left_out.extend(line.left_out);
        Cell {
            text: line.text,
            rows: number("rowspan").unwrap_or(1),
            columns: number("colspan").unwrap_or(1),
            is_header: cell.name == "th",
        }
    }
}
