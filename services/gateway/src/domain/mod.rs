//! Forms of the edge: cursors, conditions, preferences, times, citations in words, security headers.

pub(crate) mod accept;
pub(crate) mod citation;
pub(crate) mod conditional;
pub(crate) mod cursor;
pub(crate) mod headers;
pub(crate) mod time;
