//! Which sentences speak of the same thing: terms as numbers, and where each of them stands.
//!
//! Comparing every sentence with every other takes minutes for a large program. Two sentences that share more than half of
//! their terms share at least one of the rarer half of either, so only those that hold one of these are compared.

use std::collections::HashMap;

/// Terms as numbers.
#[derive(Debug, Default)]
pub(super) struct Dictionary(HashMap<String, u32>);

impl Dictionary {
    /// The numbers of terms, in ascending order, each once; new terms get new numbers.
    pub(super) fn learn(&mut self, terms: impl IntoIterator<Item = String>) -> Vec<u32> {
        let mut numbers: Vec<u32> = terms
            .into_iter()
            .map(|term| {
                let next = self.0.len() as u32;
                *self.0.entry(term).or_insert(next)
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The numbers of terms that are known, in ascending order.
    pub(super) fn known<'a>(&self, terms: impl IntoIterator<Item = &'a String>) -> Vec<u32> {
        let mut numbers: Vec<u32> = terms.into_iter().filter_map(|term| self.0.get(term).copied()).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// How many numbers two ascending lists have in common.
pub(super) fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, count) = (i + 1, j + 1, count + 1),
        }
    }
    count
}

/// The share of all terms of two lists that both have.
pub(super) fn overlap(a: &[u32], b: &[u32]) -> f64 {
    let both = shared(a, b);
    both as f64 / (a.len() + b.len() - both).max(1) as f64
}

/// Lists of terms, with where each term stands.
#[derive(Debug)]
pub(super) struct Alike {
    lists: Vec<Vec<u32>>,
    /// By term, the lists that hold it.
    places: HashMap<u32, Vec<u32>>,
}

impl Alike {
    pub(super) fn of(lists: Vec<Vec<u32>>) -> Self {
        let mut places: HashMap<u32, Vec<u32>> = HashMap::new();
        for (number, list) in lists.iter().enumerate() {
            for term in list {
                places.entry(*term).or_default().push(number as u32);
            }
        }
        Self { lists, places }
    }

    /// Whether one that is `wanted` is among the lists that share more than half of all terms with one of them; itself as
    /// well. The first that is found ends the search.
    pub(super) fn any_like(&self, number: usize, wanted: impl Fn(usize) -> bool) -> bool {
        const HALF: f64 = 0.5;
        let Some(own) = self.lists.get(number) else { return false };
        let places = |term: &u32| self.places.get(term).map_or(&[][..], Vec::as_slice);
        let mut rare = own.clone();
        rare.sort_by_key(|term| places(term).len());
        rare.truncate(own.len().div_ceil(2));
        let mut others = rare.iter().flat_map(places).map(|other| *other as usize);
        others.any(|other| wanted(other) && overlap(own, &self.lists[other]) > HALF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists of few terms, so that many share some.
    fn lists() -> Vec<Vec<u32>> {
        let mut number = 7_u32;
        let mut next = |most: u32| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 16) % most
        };
        (0..300)
            .map(|_| {
                let mut list: Vec<u32> = (0..=next(9)).map(|_| next(14)).collect();
                list.sort_unstable();
                list.dedup();
                list
            })
            .collect()
    }

    #[test]
    fn looking_at_the_rare_half_finds_what_comparing_all_finds() {
        let lists = lists();
        let alike = Alike::of(lists.clone());
        let mut found = 0;
        for (number, own) in lists.iter().enumerate() {
            for (other, theirs) in lists.iter().enumerate() {
                let is_like = overlap(own, theirs) > 0.5;
                assert_eq!(alike.any_like(number, |candidate| candidate == other), is_like);
                found += usize::from(is_like);
            }
        }
        assert!(found > 2 * lists.len(), "{found}: there is something to find");
    }

    #[test]
    fn terms_are_numbered_once() {
        let mut dictionary = Dictionary::default();
        let first = dictionary.learn(["b".to_owned(), "a".to_owned(), "b".to_owned()]);
        assert_eq!(first, [0, 1]);
        assert_eq!(dictionary.known(&["a".to_owned(), "c".to_owned()]), [1]);
        assert_eq!(shared(&[1, 3, 5], &[2, 3, 5, 9]), 2);
    }
}
