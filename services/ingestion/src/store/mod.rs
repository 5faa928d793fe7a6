//! Tables of content, and the queries on them.

pub(crate) mod approval;
pub(crate) mod content;
pub(crate) mod intake;
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
pub(crate) mod verifications;
pub(crate) mod versions;

use preceptor_store::{Migration, Schema, tenant_tables};

/// The tables of ingestion.
pub const SCHEMA: Schema = Schema {
    service: "ingestion",
    migrations: &[
        Migration {
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
        },
        Migration {
            name: "0002_verification",
            sql: include_str!("0002_verification.sql"),
            append_only: &["ingestion_verification", "ingestion_registry_call", "ingestion_quarantine"],
        },
        Migration { name: "0003_registry_key", sql: include_str!("0003_registry_key.sql"), append_only: &[] },
        Migration { name: "0004_uploads", sql: include_str!("0004_uploads.sql"), append_only: &[] },
        preceptor_jobs::migration!("0016_jobs", "ingestion"),
        preceptor_jobs::migration!("0017_check_jobs", "ingestion_check"),
        Migration { name: "0018_checks", sql: include_str!("0018_checks.sql"), append_only: &[] },
    ],
};

preceptor_jobs::jobs_table!("ingestion_job");

/// Versions that registries are asked about.
pub(crate) mod check {
    preceptor_jobs::jobs_table!("ingestion_check_job");
}

tenant_tables! {
    /// Keys of orgs for registries.
    registry_key = "ingestion_registry_key" key { registry: String } {
        wrapped_key: Vec<u8>,
        sealed: Vec<u8>,
        fingerprint: String,
        set_by: String,
        set_at: i64,
    }

    /// Uploads that have not ended.
    upload = "ingestion_upload" key { object_id: String } {
        reserved_bytes: i64,
        begun_at: i64,
    }

    /// What was found out about a source version.
    verification = "ingestion_verification" key { id: String } {
        program_id: String,
        source_id: String,
        source_version_id: String,
        class: String,
        pmid: String,
        doi: String,
        verdict: String,
        counts: bool,
        title: String,
        metadata: String,
        statement: String,
        approval_id: Option<String>,
        approved: Option<bool>,
        actor: String,
        verified_at: i64,
    }

    /// Requests to registries and their answers.
    registry_call = "ingestion_registry_call" key { id: String } {
        source_version_id: String,
        verification_id: String,
        registry: String,
        request: String,
        status: i64,
        body: Vec<u8>,
        sha256: String,
        finding: String,
        called_at: i64,
    }

    /// Versions that are looked at again.
    surveillance = "ingestion_surveillance" key { source_version_id: String } {
        program_id: String,
        source_id: String,
        pmid: String,
        doi: String,
        verdict: String,
        next_check_at: i64,
        checked_at: i64,
    }

    /// Versions that lost their standing.
    quarantine = "ingestion_quarantine" key { source_version_id: String } {
        program_id: String,
        source_id: String,
        verification_id: String,
        verdict: String,
        quarantined_at: i64,
    }

    /// What an editor has to look at.
    task = "ingestion_task" key { id: String } {
        program_id: String,
        source_id: String,
        kind: String,
        text: String,
        opened_at: i64,
        closed_at: Option<i64>,
        closed_by: String,
        outcome: String,
    }
}
