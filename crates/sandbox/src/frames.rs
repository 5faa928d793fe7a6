//! What a process and its child say to each other, over pipes.
//!
//! To the child: the length of a header, the header, the file. From it: frames of a kind, a length and so many bytes.

use serde::{Deserialize, Serialize};

/// The largest header: requests are small, what is large is the file.
pub(crate) const LARGEST_HEADER: usize = 1 << 20;

/// What a child is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) kind: String,
    pub(crate) request: Vec<u8>,
    pub(crate) file: u64,
    pub(crate) cpu_seconds: u64,
}

/// What a child says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    /// It has the work: what happens from here on is the work's doing.
    Begun = 1,
    /// How far it is: two numbers of eight bytes.
    Progress = 2,
    /// The result.
    Done = 3,
    /// The work failed: why.
    Failed = 4,
    /// The work needs more memory than there is.
    TooLarge = 5,
}

impl Tag {
    pub(crate) const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Begun,
            2 => Self::Progress,
            3 => Self::Done,
            4 => Self::Failed,
            5 => Self::TooLarge,
            _ => return None,
        })
    }
}

/// Two numbers as the body of a frame.
pub(crate) fn progress(done: u64, of: u64) -> [u8; 16] {
    let mut body = [0; 16];
    body[..8].copy_from_slice(&done.to_le_bytes());
    body[8..].copy_from_slice(&of.to_le_bytes());
    body
}

/// The two numbers of such a body.
pub(crate) fn numbers(body: &[u8]) -> Option<(u64, u64)> {
    let (done, of) = body.split_at_checked(8)?;
    Some((u64::from_le_bytes(done.try_into().ok()?), u64::from_le_bytes(of.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_what_is_cut_off_does_not() {
        assert_eq!(numbers(&progress(3, u64::MAX)), Some((3, u64::MAX)));
        assert_eq!(numbers(&[0; 15]), None);
        assert_eq!(Tag::of(Tag::TooLarge as u8), Some(Tag::TooLarge));
        assert_eq!(Tag::of(0), None);
    }
}
