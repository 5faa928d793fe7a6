//! Forms of the edge: cursors, times, citations in words, security headers.

pub(crate) mod citation;
pub(crate) mod cursor;
pub(crate) mod headers;
pub(crate) mod time;
