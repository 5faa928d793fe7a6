//! The form in which a log is read by others: tiles of hashes and bundles of entries, each at a path of its own that never
//! means anything else (C2SP `tlog-tiles`).

use std::fmt;
use std::str::FromStr;

use crate::Refusal;

/// Hashes of a full tile, and entries of a full bundle.
pub const WIDTH: u16 = 256;
/// Levels of the tree in one tile.
const HEIGHT: u32 = 8;
/// The largest level of tiles: eight times it is the level of the tree.
const TOP: u8 = 7;
/// The largest entry: its length is two bytes.
pub const LARGEST_ENTRY: usize = u16::MAX as usize;
/// Each part of a path holds three digits of a number.
const GROUP: u64 = 1000;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Hashes of the tree, of every eighth level.
    Hashes(u8),
    /// The records themselves.
    Entries,
}

/// A tile by its path, for instance `0/x001/x234/067.p/8` or `entries/000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its place within its level.
    pub index: u64,
    /// How many it holds; fewer than [`WIDTH`] in a partial one.
    pub width: u16,
}

impl Tile {
    /// Whether it holds all that it ever will.
    pub fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// The level of the tree that it is made of.
    pub fn tree_level(&self) -> u8 {
        match self.content {
            Content::Hashes(level) => level * HEIGHT as u8,
            Content::Entries => 0,
        }
    }

    /// The first place of that level that it holds. `None` when no tree is that large.
    pub fn first(&self) -> Option<u64> {
        self.index.checked_mul(u64::from(WIDTH))
    }

    /// Whether a tree of that size has it.
    pub fn is_in(&self, size: u64) -> bool {
        let end = self.first().and_then(|first| first.checked_add(u64::from(self.width)));
        end.is_some_and(|end| end <= size >> self.tree_level())
    }

    /// All tiles of a tree of that size, full ones and at the right edge partial ones.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let contents = std::iter::once(Content::Entries).chain((0..=TOP).map(Content::Hashes));
        contents.flat_map(move |content| {
            let level = Self { content, index: 0, width: WIDTH }.tree_level();
            let count = size >> level;
            let partial = (count % u64::from(WIDTH)) as u16;
            let full = count / u64::from(WIDTH);
            let edge = (partial > 0).then_some(Self { content, index: full, width: partial });
            (0..full).map(move |index| Self { content, index, width: WIDTH }).chain(edge)
        })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "{level}/")?,
            Content::Entries => f.write_str("entries/")?,
        }
        let mut groups = vec![self.index % GROUP];
        let mut rest = self.index / GROUP;
        while rest > 0 {
            groups.push(rest % GROUP);
            rest /= GROUP;
        }
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for Tile {
    type Err = Refusal;

    fn from_str(path: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::Malformed("not a path of a tile");
        let (content, place) = path.split_once('/').ok_or_else(malformed)?;
        let content = match content {
            "entries" => Content::Entries,
            level => Content::Hashes(level.parse().ok().filter(|level| *level <= TOP).ok_or_else(malformed)?),
        };
        let (place, width) = match place.split_once(".p/") {
            Some((place, width)) => {
                (place, width.parse().ok().filter(|width| (1..WIDTH).contains(width)).ok_or_else(malformed)?)
            }
            None => (place, WIDTH),
        };
        let mut index: u64 = 0;
        for group in place.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let number: u64 = digits.parse().map_err(|_| malformed())?;
            index =
                index.checked_mul(GROUP).and_then(|index| index.checked_add(number)).ok_or_else(malformed)?;
        }
        let tile = Self { content, index, width };
        // One tile has one path: signs, other numbers of digits and the like are none.
        if tile.to_string() == path { Ok(tile) } else { Err(malformed()) }
    }
}

/// Entries as they are served: each after its length in two bytes.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len())
            .map_err(|_| Refusal::Malformed("an entry is larger than a bundle holds"))?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = |content, index, width| Tile { content, index, width };
        for (path, expected) in [
            ("0/x001/x234/067", tile(Content::Hashes(0), 1_234_067, 256)),
            ("1/000", tile(Content::Hashes(1), 0, 256)),
            ("0/000.p/1", tile(Content::Hashes(0), 0, 1)),
            ("entries/x999/000.p/255", tile(Content::Entries, 999_000, 255)),
        ] {
            assert_eq!(path.parse(), Ok(expected));
            assert_eq!(expected.to_string(), path);
        }
        for wrong in [
            "",
            "0",
            "0/",
            "0/0",
            "0/0000",
            "0/x000/001",
            "8/000",
            "-1/000",
            "+0/000",
            "0/+00",
            "data/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000/p/1",
            "0/000.p/",
            "entries/../000",
            "0/x001/x234/x067",
            "0/999999999999999999999",
        ] {
            assert!(wrong.parse::<Tile>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tree_has_the_tiles_that_it_has_hashes_for() {
        let paths = |size| Tile::all(size).map(|tile| tile.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(0), Vec::<String>::new());
        assert_eq!(paths(3), ["entries/000.p/3", "0/000.p/3"]);
        assert_eq!(paths(257), ["entries/000", "entries/001.p/1", "0/000", "0/001.p/1", "1/000.p/1"]);
        assert_eq!(paths(65_536).len(), 256 + 256 + 1 + 1);
    }

    proptest! {
        #[test]
        fn every_tile_of_a_tree_is_in_it_and_survives_its_path(size in 0_u64..200_000) {
            for tile in Tile::all(size) {
                let wider = Tile { width: tile.width.saturating_add(1), ..tile };
                prop_assert!(tile.is_in(size));
                prop_assert!(tile.is_full() || !wider.is_in(size));
                prop_assert_eq!(tile.to_string().parse(), Ok(tile));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-z/.x+-]{0,40}") {
            let _ = text.parse::<Tile>().map(|tile| tile.is_in(u64::MAX));
        }
    }

    #[test]
    fn a_bundle_says_how_long_each_entry_is() {
        assert_eq!(bundle([b"ab".as_slice(), b""]), Ok(vec![0, 2, b'a', b'b', 0, 0]));
        assert!(bundle([vec![0; LARGEST_ENTRY + 1].as_slice()]).is_err());
    }
}
