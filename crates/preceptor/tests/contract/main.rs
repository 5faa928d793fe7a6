//! The API as the tools of others see it: validators of its document, a fuzzer, and clients that are made from it.

mod clients;
mod document;
mod fuzz;
mod support;
