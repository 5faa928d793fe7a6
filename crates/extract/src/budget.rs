//! What one file may cost: everything that a reader unpacks or keeps is drawn from here first.
//!
//! A limit on the text alone would not do: a table header that every row repeats, a path of headings that every block
//! carries, or a stream that a hundred pages share make far more of a file than its text says.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::{ExtractError, Limits};

/// Characters of a heading; longer ones are cut, and one sees that they are.
const LONGEST_HEADING: usize = 500;
/// What stands for the rest of a heading that was cut.
const CUT: char = '…';
/// What a reader may keep for every byte of text that a file may hold: places, headings, boxes.
const KEPT_PER_BYTE: usize = 16;
/// Blocks and passages that a file may have for every MiB of text that it may hold.
const PASSAGES_PER_MIB: usize = 5_000;

/// What is left of what a file may cost. Copies draw from the same purse.
#[derive(Debug, Clone)]
pub struct Budget(Rc<Purse>);

#[derive(Debug)]
struct Purse {
    limits: Limits,
    text: Cell<usize>,
    kept: Cell<usize>,
    unpacked: Cell<u64>,
}

impl Budget {
    /// The whole budget of one file.
    pub fn of(limits: &Limits) -> Self {
        Self(Rc::new(Purse {
            limits: *limits,
            text: Cell::new(limits.text_bytes),
            kept: Cell::new(limits.text_bytes.saturating_mul(KEPT_PER_BYTE)),
            unpacked: Cell::new(limits.unpacked_bytes),
        }))
    }

    /// Bytes of text that a document gets.
    pub(crate) fn text(&self, bytes: usize) -> Result<(), ExtractError> {
        let left = self.0.text.get().checked_sub(bytes);
        self.0.text.set(
            left.ok_or(ExtractError::ExpandsTooMuch { limit_mib: (self.0.limits.text_bytes >> 20) as u64 })?,
        );
        self.keep(bytes)
    }

    /// Bytes of anything else that is kept: places, headings, boxes, notes.
    pub(crate) fn keep(&self, bytes: usize) -> Result<(), ExtractError> {
        self.0.kept.set(self.0.kept.get().checked_sub(bytes).ok_or(ExtractError::TooCostly)?);
        Ok(())
    }

    /// Bytes that a stream or an entry of an archive decoded to.
    pub(crate) fn unpack(&self, bytes: u64) -> Result<(), ExtractError> {
        let left = self.0.unpacked.get().checked_sub(bytes);
        self.0
            .unpacked
            .set(left.ok_or(ExtractError::ExpandsTooMuch { limit_mib: self.0.limits.unpacked_bytes >> 20 })?);
        Ok(())
    }

    /// How much may still be unpacked.
    pub(crate) fn left_to_unpack(&self) -> u64 {
        self.0.unpacked.get()
    }

    /// How many passages the document may have.
    pub(crate) fn most_passages(&self) -> usize {
        (self.0.limits.text_bytes >> 20).max(1).saturating_mul(PASSAGES_PER_MIB)
    }
}

/// A heading as blocks refer to it: stored once, and not longer than one can read.
pub(crate) fn heading(text: &str) -> Arc<str> {
    match text.char_indices().nth(LONGEST_HEADING) {
        None => text.into(),
        Some((end, _)) => format!("{}{CUT}", &text[..end]).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { file_bytes: 100, unpacked_bytes: 10, text_bytes: 10, pages: 1 };

    #[test]
    fn copies_draw_from_one_purse_and_nothing_is_given_on_credit() {
        let budget = Budget::of(&LIMITS);
        let copy = budget.clone();
        assert!(budget.text(6).is_ok() && copy.text(4).is_ok());
        assert_eq!(budget.text(1), Err(ExtractError::ExpandsTooMuch { limit_mib: 0 }));
        assert!(copy.unpack(10).is_ok() && budget.unpack(1).is_err());
        assert!(budget.keep(10 * KEPT_PER_BYTE - 10).is_ok(), "text counts as kept");
        assert_eq!(copy.keep(1), Err(ExtractError::TooCostly));
    }

    #[test]
    fn a_heading_is_cut_visibly_and_between_characters() {
        assert_eq!(&*heading("Dosing"), "Dosing");
        let cut = heading(&"é".repeat(LONGEST_HEADING + 1));
        assert_eq!((cut.chars().count(), cut.ends_with(CUT)), (LONGEST_HEADING + 1, true));
    }
}
