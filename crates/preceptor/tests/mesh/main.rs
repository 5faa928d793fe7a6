//! The whole mesh through its front door.

mod answers;
mod bad_files;
mod contract;
mod crash;
mod credits;
mod edge;
mod heavy;
mod isolation;
mod journey;
mod lists;
mod privacy;
mod probes;
mod real_sources;
mod record;
mod roles;
mod secrets;
mod snapshots;
mod staff;
mod support;
mod surface;
