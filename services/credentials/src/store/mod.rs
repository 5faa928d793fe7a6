//! Tables of credentials, and the queries on them.

pub(crate) mod contests;
pub(crate) mod queries;

use preceptor_store::{Migration, Schema, tenant_tables};

/// The tables of the credentials service.
pub const SCHEMA: Schema = Schema {
    service: "credentials",
    migrations: &[
        Migration {
            name: "0001_credentials",
            sql: include_str!("0001_credentials.sql"),
            append_only: &["credentials_check", "credentials_assertion"],
        },
        Migration { name: "0002_evidence", sql: include_str!("0002_evidence.sql"), append_only: &[] },
        Migration { name: "0003_contests", sql: include_str!("0003_contests.sql"), append_only: &[] },
        preceptor_jobs::migration!("0004_jobs", "credentials"),
        Migration { name: "0005_queued", sql: include_str!("0005_queued.sql"), append_only: &[] },
    ],
};

preceptor_jobs::jobs_table!("credentials_job");

tenant_tables! {
    /// Who a learner is.
    clinician = "credentials_clinician" key { learner: String } {
        profession: String,
        wrapped_key: Vec<u8>,
        sealed: Vec<u8>,
        npi_index: String,
        email_verified_at: Option<i64>,
        statement: i64,
        revision: i64,
        created_at: i64,
        updated_at: i64,
        #[sea_orm(column_name = "licence_index")]
        license_index: String,
    }

    /// Numbers and licenses that several people state.
    contest = "credentials_contest" key { id: String } {
        about: String,
        identity: String,
        opened_at: i64,
        upheld: Option<String>,
        wrapped_key: Option<Vec<u8>>,
        sealed: Option<Vec<u8>>,
        decided_by: Option<String>,
        decided_at: Option<i64>,
    }

    /// Who they are.
    contest_party = "credentials_contest_party" key { contest_id: String, learner: String } {
        joined_at: i64,
        told_at: Option<i64>,
    }

    /// Who they said to be.
    statement = "credentials_statement" key { learner: String, number: i64 } {
        wrapped_key: Vec<u8>,
        sealed: Vec<u8>,
        stated_at: i64,
    }

    /// Codes that were sent.
    email_challenge = "credentials_email_challenge" key { id: String } {
        learner: String,
        code_hash: String,
        wrong_tries: i64,
        sent_at: i64,
        expires_at: i64,
        used_at: Option<i64>,
    }

    /// Every check.
    check = "credentials_check" key { id: String } {
        learner: String,
        statement: i64,
        method: String,
        outcome: String,
        detail: String,
        evidence_sha256: String,
        actor: String,
        checked_at: i64,
    }

    /// What was seen in a check, sealed.
    evidence = "credentials_evidence" key { check_id: String } {
        learner: String,
        wrapped_key: Vec<u8>,
        sealed: Vec<u8>,
    }

    /// What is known, at which level, for how long.
    assertion = "credentials_assertion" key { id: String } {
        learner: String,
        statement: i64,
        profession: String,
        level: i64,
        email_check_id: String,
        check_id: String,
        outcome: String,
        valid_from: i64,
        valid_until: i64,
        asserted_at: i64,
    }
}
