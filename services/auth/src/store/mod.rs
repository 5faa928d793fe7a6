//! Tables of the control database.

pub(crate) mod credential;
pub(crate) mod org;
pub(crate) mod provider_number;
pub(crate) mod roll;
pub(crate) mod staff;

use preceptor_store::{Migration, Schema};

/// The tables of the control plane.
pub const SCHEMA: Schema = Schema {
    service: "auth",
    migrations: &[
        Migration { name: "0001_accounts", sql: include_str!("0001_accounts.sql"), append_only: &[] },
        Migration {
            name: "0002_kinds_of_credentials",
            sql: include_str!("0002_kinds_of_credentials.sql"),
            append_only: &[],
        },
        Migration {
            name: "0003_provider_numbers",
            sql: include_str!("0003_provider_numbers.sql"),
            append_only: &[],
        },
        Migration { name: "0004_roll", sql: include_str!("0004_roll.sql"), append_only: &[] },
        Migration { name: "0005_makers", sql: include_str!("0005_makers.sql"), append_only: &[] },
        Migration { name: "0006_seals", sql: include_str!("0006_seals.sql"), append_only: &[] },
    ],
};
