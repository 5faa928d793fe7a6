//! Prefixed identifiers, sortable by creation: `prog_01jq…` is a type prefix and a UUIDv7 in Crockford base 32.
//!
//! The prefix makes an id readable in a log and refuses the wrong kind of id at the door; the UUIDv7 keeps ids
//! unique without a coordinator and rows in creation order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Crockford's alphabet: no `i`, `l`, `o`, `u`, so that ids survive being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in steps of five.
const ENCODED_LEN: usize = 26;

/// A string that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {prefix}_ followed by 26 letters and digits")]
pub struct ParseIdError {
    prefix: &'static str,
}

/// Encodes 128 bits as 26 characters, most significant first, so that text order is numeric order.
fn encode(value: u128) -> String {
    (0..ENCODED_LEN)
        .rev()
        .map(|position| char::from(ALPHABET[(value >> (position * 5)) as usize & 31]))
        .collect()
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != ENCODED_LEN || text.as_bytes()[0] > b'7' {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, byte| {
        let digit = ALPHABET.iter().position(|&letter| letter == byte)?;
        Some(value << 5 | digit as u128)
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The type prefix of this kind of id, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later in order than every id made before it on this machine.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id that always stands for `name` under `namespace`: the same input gives the same id.
            pub fn derived(namespace: Uuid, name: &[u8]) -> Self {
                Self(Uuid::new_v5(&namespace, name))
            }

            /// The bare UUID, for engines that have a UUID type of their own.
            pub fn uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), encode(self.0.as_u128()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(|value| Self(Uuid::from_u128(value)))
                    .ok_or(ParseIdError { prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )+};
}

ids! {
    /// A provider: the tenant, and the first column of every key.
    OrgId = "org";
    /// One website or product of an org that embeds programs.
    AppId = "app";
    /// A member of the provider's staff.
    StaffId = "staff";
    /// An API token or a signed-in session, known by the hash of its secret.
    CredentialId = "key";
    /// One accredited program.
    ProgramId = "prog";
    /// A learning objective of a program.
    ObjectiveId = "obj";
    /// A document of a program, through all its versions.
    SourceId = "src";
    /// One immutable version of a source.
    SourceVersionId = "srcv";
    /// A reviewer's decision on a source version.
    ApprovalId = "appr";
    /// The smallest unit of retrieval: a run of text with a locator.
    PassageId = "psg";
    /// A frozen set of approved source versions.
    ProgramVersionId = "progv";
    /// A publication or withdrawal of a program version.
    PublicationId = "publ";
    /// A learner's conversation.
    SessionId = "sess";
    /// A learner's question together with what was answered.
    MessageId = "msg";
    /// One citation of an answer.
    CitationId = "cit";
    /// What a registry or a reviewer said about a source version, once.
    VerificationId = "ver";
    /// A request to a registry and its answer.
    RegistryCallId = "call";
    /// Something an editor has to look at.
    TaskId = "task";
    /// A period in which the provider is accredited.
    AccreditationId = "accr";
    /// Two people who say that they are the same clinician.
    ContestId = "cont";
    /// What the operator found out about an accreditation.
    AccreditationDecisionId = "accrd";
    /// A designation: so many credits of a type for a program.
    OfferId = "offer";
    /// A question of the item bank, through all its versions.
    ItemId = "item";
    /// One immutable version of an item.
    ItemVersionId = "itemv";
    /// A request for item drafts.
    GenerationId = "gen";
    /// A reviewer's decision on an item version.
    ItemDecisionId = "idec";
    /// A frozen quiz.
    FormId = "form";
    /// A learner's run through a form.
    AttemptId = "att";
    /// What a learner said about a program afterwards.
    EvaluationId = "eval";
    /// A credit award.
    CreditId = "cred";
    /// The end of an award.
    VoidId = "void";
    /// A remark on an award.
    AnnotationId = "anno";
    /// A certificate of an award.
    CertificateId = "cert";
    /// A check of a clinician's statement.
    CheckId = "chk";
    /// What is known of a clinician, at a level, for a time.
    AssertionId = "asrt";
    /// An event on the bus.
    EventId = "evt";
    /// A file in object storage.
    ObjectId = "file";
}

impl OrgId {
    /// The deployment itself, where its operator is: no tenant, and no tenant's rows are kept under it.
    pub const PLATFORM: Self = Self(Uuid::nil());

    /// Whether this is a tenant, and not the deployment itself.
    pub fn is_tenant(self) -> bool {
        self != Self::PLATFORM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_own_text() {
        let id = ProgramId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn text_order_is_creation_order() {
        let ids: Vec<_> = (0..100).map(|_| MessageId::generate()).collect();
        let mut texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
        texts.sort();
        assert_eq!(texts, ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let source = SourceId::generate().to_string();
        assert!(source.parse::<ProgramId>().is_err());
        for broken in
            ["", "prog_", "prog_zz", "prog_80000000000000000000000000", "prog_0000000000000000000000000u"]
        {
            assert!(broken.parse::<ProgramId>().is_err(), "{broken}");
        }
    }

    #[test]
    fn extremes_encode_without_loss() {
        for value in [0, 1, u128::MAX, u128::MAX / 3] {
            assert_eq!(decode(&encode(value)), Some(value));
        }
    }
}
