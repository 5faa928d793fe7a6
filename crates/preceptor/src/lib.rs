//! The whole mesh in one process, and the command line in front of it.
//!
//! * [`config`]: every setting of every service, from a file, the environment and the command line;
//! * [`database`]: the databases of a deployment on PostgreSQL;
//! * [`engines`]: the engines of a process;
//! * `issuers`: the keys of providers that are trusted on this machine;
//! * `logs`: the logs that were verified on this machine, with their newest checkpoints;
//! * `status_lists`: copies of their lists of voided certificates;
//! * [`fonts`]: fonts for names in all scripts, found or pulled;
//! * [`model`]: the embedding model, found or pulled;
//! * [`mesh`]: the services, joined and running;
//! * `recorders`: where the services put what their calls leave on record;
//! * [`client`]: the public API as the command line uses it;
//! * [`journey`]: the steps from a source to a certificate, for the demo and for tests;
//! * `probes`: what readiness is told from;
//! * `outside`: stand-ins for the services outside, for the demo and for development;
//! * [`worker`]: this binary as the child that reads files;
//! * [`commands`]: what the binary can do.

pub mod client;
pub mod commands;
pub mod config;
pub mod database;
pub mod demo;
pub mod engines;
pub mod fonts;
mod issuers;
pub mod journey;
mod logs;
pub mod mesh;
pub mod model;
mod outside;
mod private_file;
mod probes;
mod recorders;
mod status_lists;
pub mod worker;
