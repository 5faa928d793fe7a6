//! Names of staff: on pages, people read who did something, and not under which id.

use std::collections::HashMap;

use preceptor_core::Capability;

use crate::Edge;
use crate::error::ApiError;
use crate::identity::Identity;

/// The staff of an org, by id.
#[derive(Debug, Default)]
pub(super) struct People(HashMap<String, String>);

impl People {
    /// Everyone who is or was of the visitor's org; no one where the visitor may not see staff.
    pub(super) async fn of(edge: &Edge, identity: &Identity) -> Result<Self, ApiError> {
        if ![Capability::Administer, Capability::ReadContent].iter().any(|one| identity.scope.grants(*one)) {
            return Ok(Self::default());
        }
        let (here, gone) = tokio::try_join!(edge.staff(identity, false), edge.staff(identity, true))?;
        Ok(Self(here.into_iter().chain(gone).map(|member| (member.id, member.name)).collect()))
    }

    /// The name behind an id; the text itself where it is no one's id here.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }
}
