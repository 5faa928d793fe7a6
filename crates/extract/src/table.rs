//! Tables: every row under the names of its columns, and every merged cell in every row and column that it covers.

use std::rc::Rc;
use std::sync::Arc;

use super::ExtractError;
use super::budget::Budget;
use super::builder::heading_of_rows;

/// What a place of the grid costs.
const SLOT: usize = 32;
/// A cell that claims more columns claims this many.
const MOST_COLUMNS: usize = 500;
/// A longer row across the whole table is a text of its own rather than the name of the rows below.
const LONGEST_GROUP: usize = 120;

/// A cell as its format has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// How many rows it covers; 0 for all that are left.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) is_header: bool,
}

/// A row as its format has it: cells that are covered by others are not in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    /// Whether the format says that this row names the columns.
    pub(crate) is_head: bool,
}

/// A row as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadRow {
    pub(crate) text: String,
    /// What stands above it: the table's name, the row's group, the names of the columns.
    pub(crate) heading: Arc<str>,
    /// Which row of the format it is.
    pub(crate) number: usize,
}

/// A row of the grid: what stands in each column.
struct Line {
    slots: Vec<Rc<str>>,
    is_head: bool,
    /// Whether it is one cell across the whole table.
    is_one: bool,
}

/// Reads a table that stands below `name`. Rows that name columns are in the headings of the others.
pub(crate) fn read(rows: &[Row], name: &str, budget: &Budget) -> Result<Vec<ReadRow>, ExtractError> {
    let lines = grid(rows, budget)?;
    let width = lines.iter().map(|line| line.slots.len()).max().unwrap_or(0);
    let plain = heading_of_rows(name, "");
    let mut read = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    // As they stand in every heading.
    let mut names = String::new();
    let mut group = String::new();
    let mut heading = Arc::clone(&plain);
    let mut in_head = false;
    for (number, line) in lines.iter().enumerate() {
        let text = joined(line);
        if text.is_empty() {
            continue;
        }
        let across = line.is_one && width > 1;
        if line.is_head && !across {
            if !in_head {
                columns.clear();
            }
            in_head = true;
            name_columns(&mut columns, line);
            names = columns.join(" | ");
        } else {
            in_head = false;
            let above = if across { Arc::clone(&plain) } else { Arc::clone(&heading) };
            let is_group = across && text.len() <= LONGEST_GROUP;
            // The name of a group is in the headings of its rows; where it has none it is a row.
            let has_rows = lines.get(number + 1).is_some_and(|next| !next.is_one);
            if !is_group || !has_rows || !line.is_head {
                read.push(ReadRow { text: text.clone(), heading: above, number });
            }
            if !is_group {
                continue;
            }
            group = text;
        }
        let above = [name, group.as_str()].into_iter().filter(|part| !part.is_empty());
        heading = heading_of_rows(&above.collect::<Vec<_>>().join(", "), &names);
    }
    if read.is_empty() {
        // A table of names alone is not nothing.
        let named = lines.iter().enumerate().map(|(number, line)| (number, joined(line)));
        read.extend(named.filter(|(_, text)| !text.is_empty()).map(|(number, text)| ReadRow {
            text,
            heading: Arc::clone(&plain),
            number,
        }));
    }
    Ok(read)
}

fn joined(line: &Line) -> String {
    if line.slots.iter().all(|slot| slot.is_empty()) {
        return String::new();
    }
    if line.is_one {
        return line.slots.first().map_or_else(String::new, ToString::to_string);
    }
    line.slots.join(" | ")
}

/// Adds a row of names: under `Dose`, `Adults` is `Dose / Adults`.
fn name_columns(columns: &mut Vec<String>, line: &Line) {
    for (at, slot) in line.slots.iter().enumerate() {
        match columns.get_mut(at) {
            None => columns.push(slot.to_string()),
            Some(above) if above.is_empty() => above.push_str(slot),
            Some(above) => {
                let said = slot.is_empty() || above.split(" / ").any(|part| part == &**slot);
                if !said {
                    above.push_str(" / ");
                    above.push_str(slot);
                }
            }
        }
    }
}

/// A cell from above that covers this column of rows to come.
#[derive(Clone)]
struct Covering {
    text: Rc<str>,
    rows: usize,
}

fn grid(rows: &[Row], budget: &Budget) -> Result<Vec<Line>, ExtractError> {
    let mut covering: Vec<Option<Covering>> = Vec::new();
    let mut lines = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        let left = rows.len() - number;
        let mut slots: Vec<Rc<str>> = Vec::new();
        let mut own = row.cells.iter();
        loop {
            let column = slots.len();
            if let Some(above) = covering.get_mut(column)
                && let Some(cover) = above
            {
                slots.push(Rc::clone(&cover.text));
                cover.rows -= 1;
                if cover.rows == 0 {
                    *above = None;
                }
                continue;
            }
            let Some(cell) = own.next() else {
                // A gap before a covering cell further to the right.
                if covering.iter().skip(column).any(Option::is_some) {
                    slots.push(Rc::from(""));
                    continue;
                }
                break;
            };
            place(cell, left, &mut slots, &mut covering);
        }
        budget.keep(slots.iter().map(|slot| SLOT + slot.len()).sum())?;
        let is_head = row.is_head || (!row.cells.is_empty() && row.cells.iter().all(|cell| cell.is_header));
        let is_one = matches!(&row.cells[..], [cell] if cell.columns.clamp(1, MOST_COLUMNS) == slots.len());
        lines.push(Line { slots, is_head, is_one });
    }
    Ok(lines)
}

/// Puts a cell into every column that it covers, and remembers the rows.
fn place(cell: &Cell, left: usize, slots: &mut Vec<Rc<str>>, covering: &mut Vec<Option<Covering>>) {
    let text: Rc<str> = Rc::from(cell.text.as_str());
    let rows = if cell.rows == 0 { left } else { cell.rows.min(left) };
    for _ in 0..cell.columns.clamp(1, MOST_COLUMNS) {
        let column = slots.len();
        if covering.get(column).is_some_and(Option::is_some) {
            // Two cells claim one place: the one from above keeps it.
            break;
        }
        slots.push(Rc::clone(&text));
        if rows > 1 {
            if covering.len() <= column {
                covering.resize(column + 1, None);
            }
            covering[column] = Some(Covering { text: Rc::clone(&text), rows: rows - 1 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::budget;

    fn cell(text: &str, rows: usize, columns: usize) -> Cell {
        Cell { text: text.into(), rows, columns, is_header: false }
    }

    fn row(cells: &[Cell]) -> Row {
        Row { cells: cells.to_vec(), is_head: false }
    }

    fn head(cells: &[Cell]) -> Row {
        Row { cells: cells.to_vec(), is_head: true }
    }

    fn table(rows: &[Row]) -> Vec<(String, String)> {
        let read = read(rows, "T", &budget()).expect("a table");
        read.into_iter().map(|row| (row.text, row.heading.to_string())).collect()
    }

    fn pair(text: &str, heading: &str) -> (String, String) {
        (text.into(), heading.into())
    }

    #[test]
    fn merged_cells_are_in_every_row_and_column_that_they_cover() {
        let rows = [
            head(&[cell("Class", 2, 1), cell("Drug", 2, 1), cell("Dose", 1, 2)]),
            head(&[cell("Adults", 1, 1), cell("Children", 1, 1)]),
            row(&[
                cell("Statins", 2, 1),
                cell("Atorvastatin", 1, 1),
                cell("40 mg", 1, 1),
                cell("10 mg", 1, 1),
            ]),
            row(&[cell("Rosuvastatin", 1, 1), cell("20 mg", 1, 2)]),
            row(&[cell("Renal failure", 1, 4)]),
            row(&[cell("Ezetimibe", 0, 2), cell("10 mg", 1, 1), cell("5 mg", 1, 1)]),
            row(&[cell("never", 1, 1), cell("2.5 mg", 1, 1)]),
        ];
        let columns = "Class | Drug | Dose / Adults | Dose / Children";
        assert_eq!(
            table(&rows),
            [
                pair("Statins | Atorvastatin | 40 mg | 10 mg", &format!("T: {columns}")),
                pair("Statins | Rosuvastatin | 20 mg | 20 mg", &format!("T: {columns}")),
                pair("Renal failure", "T"),
                pair("Ezetimibe | Ezetimibe | 10 mg | 5 mg", &format!("T, Renal failure: {columns}")),
                pair("Ezetimibe | Ezetimibe | never | 2.5 mg", &format!("T, Renal failure: {columns}")),
            ]
        );
    }

    #[test]
    fn a_cell_that_claims_the_world_gets_the_table() {
        let rows = [row(&[cell("all", usize::MAX, usize::MAX)]), row(&[cell("b", 1, 1)])];
        let read = table(&rows);
        assert_eq!(read.len(), 2);
        assert!(read[1].0.starts_with("all | all"), "{}", &read[1].0[..20]);
        assert!(read[1].0.ends_with("| b"));
        let small = Budget::of(&crate::Limits { file_bytes: 1, unpacked_bytes: 1, text_bytes: 10, pages: 1 });
        assert!(super::read(&rows, "", &small).is_err());
    }

    #[test]
    fn a_table_of_names_alone_is_read() {
        assert_eq!(table(&[head(&[cell("Drug", 1, 1), cell("Dose", 1, 1)])]), [pair("Drug | Dose", "T")]);
    }
}
