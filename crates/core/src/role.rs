//! Roles and what each of them may do.
//!
//! Contracts name *capabilities*; people hold *roles*; this table is the only place where the two meet.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a subject is inside its org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the org: staff, tokens, configuration, and everything an editor does.
    Admin,
    /// Creates programs, uploads and submits sources, publishes what was approved.
    Editor,
    /// Approves or rejects what others wrote.
    Reviewer,
    /// Reads engagement and alignment.
    Analyst,
    /// Reads the record and its proofs.
    Auditor,
    /// Reads released aggregates and nothing else.
    Supporter,
    /// Asks questions inside one program.
    Learner,
    /// An app of the org, which admits its learners.
    Service,
    /// A named part of the platform acting on its own behalf.
    System,
}

/// One thing a contract may demand of its caller's subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Manage staff, apps and tokens.
    Administer,
    /// Create and change programs and sources.
    WriteContent,
    /// Read programs, sources and passages, drafts included.
    ReadContent,
    /// Decide on what others submitted.
    ApproveContent,
    /// Read what is published, and ask.
    Learn,
    /// Read questions, objectives and counts.
    ReadInsight,
    /// Read the audit log and its proofs.
    ReadAudit,
    /// Admit learners of an app to programs.
    AdmitLearners,
    /// Act for the platform itself.
    Operate,
}

impl Role {
    /// All roles, for tables and tests.
    pub const ALL: [Self; 9] = [
        Self::Admin,
        Self::Editor,
        Self::Reviewer,
        Self::Analyst,
        Self::Auditor,
        Self::Supporter,
        Self::Learner,
        Self::Service,
        Self::System,
    ];
    /// The roles that people of the provider hold.
    pub const STAFF: [Self; 6] =
        [Self::Admin, Self::Editor, Self::Reviewer, Self::Analyst, Self::Auditor, Self::Supporter];

    /// Whether this role grants `capability`.
    pub const fn grants(self, capability: Capability) -> bool {
        use Capability as C;
        match self {
            Self::Admin => !matches!(capability, C::Operate),
            Self::Editor => {
                matches!(capability, C::WriteContent | C::ReadContent | C::Learn | C::ReadInsight)
            }
            Self::Reviewer => matches!(capability, C::ApproveContent | C::ReadContent | C::Learn),
            Self::Analyst => matches!(capability, C::ReadInsight),
            Self::Auditor => matches!(capability, C::ReadAudit | C::ReadContent),
            Self::Supporter => false,
            Self::Learner => matches!(capability, C::Learn),
            Self::Service => matches!(capability, C::AdmitLearners),
            Self::System => matches!(capability, C::Operate | C::ReadContent),
        }
    }

    /// The name used in tokens, in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Reviewer => "reviewer",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Supporter => "supporter",
            Self::Learner => "learner",
            Self::Service => "service",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no role or capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {0}")]
pub struct UnknownName(pub &'static str);

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or(UnknownName("role"))
    }
}

impl Capability {
    /// All capabilities, for tables and tests.
    pub const ALL: [Self; 9] = [
        Self::Administer,
        Self::WriteContent,
        Self::ReadContent,
        Self::ApproveContent,
        Self::Learn,
        Self::ReadInsight,
        Self::ReadAudit,
        Self::AdmitLearners,
        Self::Operate,
    ];

    /// The name used in the contracts' policy options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administer => "administer",
            Self::WriteContent => "content.write",
            Self::ReadContent => "content.read",
            Self::ApproveContent => "content.approve",
            Self::Learn => "learn",
            Self::ReadInsight => "insight.read",
            Self::ReadAudit => "audit.read",
            Self::AdmitLearners => "learners.admit",
            Self::Operate => "operate",
        }
    }
}

impl FromStr for Capability {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|capability| capability.name() == name).ok_or(UnknownName("capability"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        for capability in Capability::ALL {
            assert_eq!(capability.name().parse(), Ok(capability));
        }
    }

    #[test]
    fn a_supporter_can_reach_nothing_of_the_provider() {
        assert!(Capability::ALL.into_iter().all(|capability| !Role::Supporter.grants(capability)));
    }

    #[test]
    fn no_one_but_the_platform_operates() {
        for role in Role::ALL {
            assert_eq!(role.grants(Capability::Operate), role == Role::System, "{role}");
        }
    }
}
