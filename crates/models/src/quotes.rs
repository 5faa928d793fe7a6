//! How much is quoted around a sentence: what stands beside it carries its conditions.

use std::ops::Range;

/// A quotation grows to its neighbors up to so many words.
pub const QUOTE_WORDS: usize = 100;

/// The sentences that are quoted around the sentence `at`: neighbors join, the following one first and on both sides in turn,
/// while the whole has at most [`QUOTE_WORDS`] words. `words` are the lengths of all sentences; a sentence that is longer by
/// itself is quoted alone.
pub fn around(words: &[usize], at: usize) -> Range<usize> {
    let (mut first, mut last) = (at, at);
    let mut total = words.get(at).copied().unwrap_or(0);
    loop {
        let fits = |length: Option<&usize>| length.is_some_and(|length| total + length <= QUOTE_WORDS);
        let after = fits(words.get(last + 1));
        let before = fits(first.checked_sub(1).and_then(|place| words.get(place)));
        if after && (last - at <= at - first || !before) {
            last += 1;
            total += words[last];
        } else if before {
            first -= 1;
            total += words[first];
        } else {
            return first..last + 1;
        }
    }
}

/// The words of a sentence, as [`around`] counts them.
pub fn length(sentence: &str) -> usize {
    sentence.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbors_join_in_turn_while_they_fit() {
        assert_eq!(around(&[10, 10, 10], 1), 0..3);
        assert_eq!(around(&[60, 20, 60, 60], 1), 1..3, "the following sentence first");
        assert_eq!(around(&[60, 30, 60, 90], 2), 1..3, "the one before where the next is too long");
        assert_eq!(around(&[5, 400, 5], 1), 1..2, "a long one alone");
        assert_eq!(around(&[], 0), 0..1);
    }
}
