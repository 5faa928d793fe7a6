//! The whole mesh in one process, and the command line in front of it.
//!
//! * [`config`]: every setting of every room, from a file, the environment and the command line;
//! * [`engines`]: the embedded engines of a data folder;
//! * [`model`]: the embedding model, found or pulled;
//! * [`mesh`]: the rooms, joined and running;
//! * [`client`]: the public API as the command line uses it;
//! * [`commands`]: what the binary can do.

pub mod client;
pub mod commands;
pub mod config;
pub mod demo;
pub mod engines;
pub mod mesh;
pub mod model;
