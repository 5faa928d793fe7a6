//! The whole mesh in one process, and the command line in front of it.
//!
//! * [`config`]: every setting of every room, from a file, the environment and the command line;
//! * [`database`]: the databases of a deployment on PostgreSQL;
//! * [`engines`]: the engines of a process;
//! * [`model`]: the embedding model, found or pulled;
//! * [`mesh`]: the rooms, joined and running;
//! * [`client`]: the public API as the command line uses it;
//! * [`journey`]: the steps from a source to a certificate, for the demo and for tests;
//! * [`commands`]: what the binary can do.

pub mod client;
pub mod commands;
pub mod config;
pub mod database;
pub mod demo;
pub mod engines;
pub mod journey;
pub mod mesh;
pub mod model;
