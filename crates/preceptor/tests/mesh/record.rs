//! The record against someone who writes past the product, and what calls leave on it.

mod outsiders;
mod reads;
mod rewriting;
mod sealing;
