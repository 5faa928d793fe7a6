//! Lines that stand side by side: the rows of a table, or the columns of a text.
//!
//! A page draws them in any order. Where rows of lines leave the same gap open all the way down, the gap divides columns.
//! Columns whose lines go on in the line below are a text and are read one after the other; others are a table and are
//! read row by row. What was drawn column by column, as most programs draw text, stays as it was drawn unless it is surely
//! a table.

use super::{LEADING, Line, is_bullet};

/// Rows further apart, in sizes, belong to different tables.
const FURTHEST: f32 = 3.2;
/// Lines above a region that may belong to it.
const NEAR: usize = 200;
/// A table has no more columns.
const MOST_COLUMNS: usize = 40;

/// Rows of cells, each of lines.
pub(super) type Cells = Vec<Vec<Vec<Line>>>;

/// What a part of a page is.
#[derive(Debug)]
pub(super) enum Unit {
    /// Lines in reading order.
    Text(Vec<Line>),
    /// A table.
    Table(Cells),
}

/// Lines on one baseline, from left to right.
#[derive(Debug)]
struct Row {
    lines: Vec<Line>,
    baseline: f32,
    size: f32,
}

impl Row {
    fn is_multiple(&self) -> bool {
        self.lines.len() > 1
    }
}

/// Where a column is.
type Span = (f32, f32);

/// Lines as they were drawn to the units of the page.
pub(super) fn units(lines: Vec<Line>) -> Vec<Unit> {
    let (level, turned): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|line| line.angle == 0.0);
    let mut placed: Vec<(usize, Placed)> = Vec::new();
    let mut rows = rows(level).into_iter().peekable();
    while let Some(row) = rows.next() {
        if !row.is_multiple() {
            placed.extend(row.lines.into_iter().map(|line| (line.order, Placed::Line(line))));
            continue;
        }
        let mut columns = spans(&row.lines);
        let mut region = vec![row];
        while let Some(next) = rows.next_if(|next| goes_on(&region, &columns, next)) {
            columns = merged(&columns, &spans(&next.lines));
            region.push(next);
        }
        let trailing = trailing(&region, &columns);
        let rest = region.split_off(region.len() - trailing);
        let begins_inside = region.first().is_some_and(|row| {
            let above = placed.iter().rev().take(NEAR);
            above.into_iter().any(|(_, part)| matches!(part, Placed::Line(line) if leads_into(line, row)))
        });
        placed.extend(read_region(region, &columns, begins_inside));
        placed
            .extend(rest.into_iter().flat_map(|row| row.lines).map(|line| (line.order, Placed::Line(line))));
    }
    placed.extend(turned.into_iter().map(|line| (line.order, Placed::Line(line))));
    placed.sort_by_key(|(order, _)| *order);
    let mut units: Vec<Unit> = Vec::new();
    let mut open = false;
    for (_, part) in placed {
        match part {
            Placed::Line(line) => match units.last_mut() {
                Some(Unit::Text(lines)) if open => lines.push(line),
                _ => {
                    units.push(Unit::Text(vec![line]));
                    open = true;
                }
            },
            Placed::Units(parts) => {
                units.extend(parts);
                open = false;
            }
        }
    }
    units
}

enum Placed {
    Line(Line),
    Units(Vec<Unit>),
}

/// Rows from the top, each from left to right.
fn rows(mut lines: Vec<Line>) -> Vec<Row> {
    lines.sort_by(|one, other| one.baseline.total_cmp(&other.baseline));
    let mut rows: Vec<Row> = Vec::new();
    for line in lines {
        match rows.last_mut() {
            Some(row) if (line.baseline - row.baseline).abs() < 0.35 * row.size.min(line.size) => {
                row.size = row.size.max(line.size);
                row.lines.push(line);
            }
            _ => rows.push(Row { baseline: line.baseline, size: line.size, lines: vec![line] }),
        }
    }
    for row in &mut rows {
        row.lines.sort_by(|one, other| one.x().total_cmp(&other.x()));
        join_neighbors(&mut row.lines);
    }
    rows
}

/// A bullet or number far before its text is no column, nor are pieces that touch.
fn join_neighbors(lines: &mut Vec<Line>) {
    let mut joined: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines.drain(..) {
        match joined.last_mut() {
            Some(before)
                if before.words.len() == 1
                    && before.words.first().is_some_and(|word| is_bullet(&word.text))
                    && line.order == before.order + 1 =>
            {
                before.size = before.size.max(line.size);
                before.words.extend(line.words);
            }
            _ => joined.push(line),
        }
    }
    *lines = joined;
}

fn spans(lines: &[Line]) -> Vec<Span> {
    merged(&[], &lines.iter().map(|line| (line.x(), line.end())).collect::<Vec<_>>())
}

/// Spans where either has some, joined where they overlap.
fn merged(one: &[Span], other: &[Span]) -> Vec<Span> {
    let mut all: Vec<Span> = one.iter().chain(other).copied().collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut merged: Vec<Span> = Vec::new();
    for (start, end) in all {
        match merged.last_mut() {
            Some(before) if start <= before.1 => before.1 = before.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// Whether a line above a row is the beginning of one of its cells.
fn leads_into(above: &Line, row: &Row) -> bool {
    row.lines.iter().any(|line| {
        let step = line.baseline - above.baseline;
        let under = (line.x() - above.x()).abs() < 0.5 * line.size;
        above.order + 1 == line.order && under && step > 0.0 && step < LEADING * line.size
    })
}

/// Whether a row goes on with a region: it is near, and leaves a gap open that the region leaves open.
fn goes_on(region: &[Row], columns: &[Span], next: &Row) -> bool {
    let Some(last) = region.last() else { return false };
    let size = last.size.max(next.size);
    let all = merged(columns, &spans(&next.lines));
    let alike = (last.size - next.size).abs() < 0.3 * size;
    let across = next.lines.iter().any(|line| columns_of(columns, line).count() > 1);
    // A line that touches no column of the region is another text.
    let beside = next.lines.iter().all(|line| columns_of(columns, line).count() == 0);
    next.baseline - last.baseline < FURTHEST * size
        && alike
        && all.len() > 1
        && all.len() <= MOST_COLUMNS
        && !beside
        && !(across && !next.is_multiple())
}

/// The columns that a line overlaps.
fn columns_of<'a>(columns: &'a [Span], line: &Line) -> impl Iterator<Item = usize> + use<'a> {
    let (start, end) = (line.x(), line.end());
    columns.iter().enumerate().filter(move |(_, span)| start < span.1 && span.0 < end).map(|(at, _)| at)
}

fn column_of(columns: &[Span], line: &Line) -> usize {
    columns_of(columns, line).next().unwrap_or(0)
}

/// How many rows at the end of a region are single lines of the first column: the text that follows it.
fn trailing(region: &[Row], columns: &[Span]) -> usize {
    let is_text =
        |row: &&Row| !row.is_multiple() && row.lines.iter().all(|line| column_of(columns, line) == 0);
    region.iter().rev().take_while(is_text).count()
}

/// `begins_inside` says that the region begins inside a cell: its rows are no rows.
fn read_region(region: Vec<Row>, columns: &[Span], begins_inside: bool) -> Vec<(usize, Placed)> {
    let as_drawn = |region: Vec<Row>| {
        region.into_iter().flat_map(|row| row.lines).map(|line| (line.order, Placed::Line(line))).collect()
    };
    let multiple = region.iter().filter(|row| row.is_multiple()).count();
    if multiple < 2 || columns.len() < 2 {
        return as_drawn(region);
    }
    let first = region.iter().flat_map(|row| &row.lines).map(|line| line.order).min().unwrap_or(0);
    let by_rows = is_drawn_by_rows(&region);
    let cells = by_cells(&region, columns).filter(|_| !by_rows);
    if is_prose(&region, columns) && cells.is_none() {
        if by_rows {
            return vec![(first, Placed::Units(read_columns(region, columns)))];
        }
        return as_drawn(region);
    }
    if begins_inside {
        return as_drawn(region);
    }
    if let Some(cells) = cells {
        return vec![(first, Placed::Units(vec![Unit::Table(cells)]))];
    }
    if by_rows || is_surely_table(&region, columns) {
        return vec![(first, Placed::Units(vec![Unit::Table(read_table(region, columns))]))];
    }
    as_drawn(region)
}

/// Whether most rows were drawn in one go: nothing of another row between their lines.
fn is_drawn_by_rows(region: &[Row]) -> bool {
    let mut orders: Vec<usize> = region.iter().flat_map(|row| &row.lines).map(|line| line.order).collect();
    orders.sort_unstable();
    let (mut all, mut in_one) = (0, 0);
    for row in region.iter().filter(|row| row.is_multiple()) {
        let own = row.lines.iter().map(|line| line.order);
        let (first, last) = (own.clone().min().unwrap_or(0), own.max().unwrap_or(0));
        let within =
            orders.partition_point(|&order| order <= last) - orders.partition_point(|&order| order < first);
        all += 1;
        in_one += usize::from(within == row.lines.len());
    }
    in_one * 10 >= all * 6
}

/// A table that was drawn cell by cell, if it was: its rows, each a list of cells, by the order of drawing alone. Its rows
/// must lie one below the other, and the cells of each beside each other.
fn by_cells(region: &[Row], columns: &[Span]) -> Option<Cells> {
    let mut lines: Vec<&Line> = region.iter().flat_map(|row| &row.lines).collect();
    lines.sort_by_key(|line| line.order);
    let mut rows: Cells = Vec::new();
    let mut before: Option<(usize, &Line)> = None;
    for line in lines {
        let column = column_of(columns, line);
        let step = before.map_or(0.0, |(_, last)| line.baseline - last.baseline);
        let goes_on =
            before.is_some_and(|(last, _)| last == column) && step > 0.0 && step < LEADING * line.size;
        let beside = before.is_some_and(|(last, _)| column > last);
        if !goes_on && !beside {
            rows.push(columns.iter().map(|_| Vec::new()).collect());
        }
        rows.last_mut()?[column].push(line.clone());
        before = Some((column, line));
    }
    let places: Vec<Span> = rows.iter().map(|row| extent(row.iter().flatten())).collect();
    let below = places.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1.0);
    let is_full = |row: &&Vec<Vec<Line>>| row.iter().filter(|cell| !cell.is_empty()).count() > 1;
    let full = rows.iter().filter(is_full).count();
    let beside = rows.iter().all(|row| {
        let cells = row.iter().filter(|cell| !cell.is_empty()).map(|cell| extent(cell.iter()));
        let cells: Vec<Span> = cells.collect();
        cells.windows(2).all(|pair| pair[0].0 < pair[1].1 && pair[1].0 < pair[0].1)
    });
    (below && beside && full >= 2 && full * 10 >= rows.len() * 7).then_some(rows)
}

/// From where to where lines reach down the page.
fn extent<'a>(lines: impl Iterator<Item = &'a Line>) -> Span {
    lines.fold((f32::INFINITY, f32::NEG_INFINITY), |(top, bottom), line| {
        (top.min(line.baseline - 0.7 * line.size), bottom.max(line.baseline))
    })
}

/// Whether lines go on in the line below, or items begin in a column that is not the first: columns of a text.
fn is_prose(region: &[Row], columns: &[Span]) -> bool {
    let begins = |line: &Line| line.words.first().map_or("", |word| word.text.as_str()).to_owned();
    let items = region
        .iter()
        .flat_map(|row| &row.lines)
        .filter(|line| column_of(columns, line) > 0 && line.words.len() > 1 && is_bullet(&begins(line)))
        .count();
    if items >= 2 {
        return true;
    }
    let (mut pairs, mut onward, mut words, mut lines) = (0, 0, 0, 0);
    for pair in region.windows(2) {
        let near = pair[1].baseline - pair[0].baseline < LEADING * pair[0].size;
        if !(near && pair[0].is_multiple() && pair[1].is_multiple()) {
            continue;
        }
        for above in &pair[0].lines {
            let column = column_of(columns, above);
            let Some(below) = pair[1].lines.iter().find(|line| column_of(columns, line) == column) else {
                continue;
            };
            let ends = above.text().ends_with(['.', '!', '?', ':', ';']);
            pairs += 1;
            onward += usize::from(!ends && begins(below).starts_with(char::is_lowercase));
            words += above.words.len();
            lines += 1;
        }
    }
    pairs >= 2 && onward * 10 >= pairs * 3 && words >= 3 * lines
}

/// Whether a region that was drawn column by column is a table nevertheless: short cells in full rows, many of them
/// values.
fn is_surely_table(region: &[Row], columns: &[Span]) -> bool {
    let multiple: Vec<&Row> = region.iter().filter(|row| row.is_multiple()).collect();
    let full = multiple.iter().filter(|row| row.lines.len() == columns.len()).count();
    let cells: Vec<&Line> = multiple.iter().flat_map(|row| &row.lines).collect();
    let short = cells.iter().filter(|line| line.words.len() <= 4).count();
    let others: Vec<&&Line> = cells.iter().filter(|line| column_of(columns, line) > 0).collect();
    let values = others.iter().filter(|line| line.text().contains(|c: char| c.is_ascii_digit())).count();
    multiple.len() >= 3
        && full * 10 >= multiple.len() * 8
        && short * 10 >= cells.len() * 7
        && values * 10 >= others.len() * 4
}

/// One column after the other.
fn read_columns(region: Vec<Row>, columns: &[Span]) -> Vec<Unit> {
    let mut texts: Vec<Vec<Line>> = columns.iter().map(|_| Vec::new()).collect();
    for line in region.into_iter().flat_map(|row| row.lines) {
        let column = column_of(columns, &line);
        texts[column].push(line);
    }
    texts.into_iter().filter(|lines| !lines.is_empty()).map(Unit::Text).collect()
}

/// Row by row. A line that begins in a later column goes on with the row above it, and so does one that is nearer to it
/// than to the row below it.
fn read_table(region: Vec<Row>, columns: &[Span]) -> Cells {
    let steps: Vec<f32> = region.windows(2).map(|pair| pair[1].baseline - pair[0].baseline).collect();
    let mut table: Cells = Vec::new();
    for (at, row) in region.into_iter().enumerate() {
        let above = at.checked_sub(1).and_then(|above| steps.get(above)).copied().unwrap_or(f32::INFINITY);
        let below = steps.get(at).copied();
        let near = above < LEADING * row.size;
        let first = row.lines.iter().find(|line| column_of(columns, line) == 0);
        let continues = first.is_some_and(|line| {
            let small = line.text().starts_with(|c: char| c.is_lowercase() || c == '(');
            below.is_some_and(|below| above < 0.8 * below) || (row.lines.len() == 1 && small)
        });
        if !(near && (first.is_none() || continues)) || table.is_empty() {
            table.push(columns.iter().map(|_| Vec::new()).collect());
        }
        if let Some(cells) = table.last_mut() {
            for line in row.lines {
                let column = column_of(columns, &line);
                cells[column].push(line);
            }
        }
    }
    table
}
