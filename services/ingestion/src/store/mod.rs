//! Tables of content, and the queries on them.

pub(crate) mod approval;
pub(crate) mod content;
pub(crate) mod objective;
pub(crate) mod passage;
pub(crate) mod pending;
pub(crate) mod program;
pub(crate) mod program_version;
pub(crate) mod program_version_objective;
pub(crate) mod program_version_source;
pub(crate) mod programs;
pub(crate) mod publication;
pub(crate) mod published;
pub(crate) mod source;
pub(crate) mod source_version;
pub(crate) mod sources;
pub(crate) mod versions;

use preceptor_store::{Migration, Schema};

/// The tables of ingestion.
pub const SCHEMA: Schema = Schema {
    service: "ingestion",
    migrations: &[Migration {
        name: "0001_content",
        sql: include_str!("0001_content.sql"),
        append_only: &[
            "ingestion_passage",
            "ingestion_approval",
            "ingestion_program_version",
            "ingestion_program_version_source",
            "ingestion_program_version_objective",
            "ingestion_publication",
        ],
    }],
};
