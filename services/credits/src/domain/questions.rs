//! A form as learners read it: the same items for everyone, in an order of their own.

use sha2::{Digest as _, Sha256};

use super::items::ItemView;
use crate::store::{form, form_item};

/// A form with its items, ready to be shown.
#[derive(Debug, Clone)]
pub(crate) struct Printed {
    pub(crate) form: form::Model,
    /// In the order of the form: position 1 first.
    pub(crate) items: Vec<ItemView>,
    pub(crate) places: Vec<form_item::Model>,
}

/// Numbers from 0 to `count`, shuffled by `seed` and `what`: the same for the same input, forever and on every machine
/// (Fisher and Yates, with SHA-256 in counter mode as the source of numbers).
pub(crate) fn shuffled(seed: i64, what: &str, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let block = Sha256::digest(format!("{seed}/{what}/{last}"));
        let number = block[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // The bias of the remainder is below 2^-56 for a form of 100 items.
        order.swap(last, (number % (last as u64 + 1)) as usize);
    }
    order
}

impl Printed {
    /// The positions of the form in the order of an attempt.
    pub(crate) fn order_of_questions(&self, seed: i64) -> Vec<usize> {
        shuffled(seed, "questions", self.items.len())
    }

    /// The options of an item in the order of an attempt, as places in the item's own list. True stays before false.
    pub(crate) fn order_of_options(&self, seed: i64, place: usize) -> Vec<usize> {
        let item = &self.items[place];
        if item.version.kind == "true_false" {
            return (0..item.options.len()).collect();
        }
        shuffled(seed, &item.version.id, item.options.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_loses_nothing_and_repeats_itself() {
        let order = shuffled(7, "questions", 20);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
        assert_eq!(order, shuffled(7, "questions", 20));
        assert_ne!(order, shuffled(8, "questions", 20));
        assert_ne!(order, shuffled(7, "options", 20));
    }

    #[test]
    fn every_place_is_equally_likely() {
        let mut first = [0_u32; 4];
        for seed in 0..4000 {
            first[shuffled(seed, "x", 4)[0]] += 1;
        }
        assert!(first.iter().all(|count| (900..1100).contains(count)), "{first:?}");
    }
}
