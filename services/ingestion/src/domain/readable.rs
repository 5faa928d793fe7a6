//! The one gate of content: who may read which version, and what is said instead.
//!
//! Everything that holds words or pictures of a source (documents, passages, pictures, originals) is read with a
//! [`Readable`] in hand, and this module alone makes one. The rule is in one place, so that no reader can forget a part
//! of it: the subject reaches the program; learners read what is published, at the version that is published, whatever
//! drafts are newer; and what was retracted is served to no learner. Staff see drafts and what was retracted, with the
//! notice beside it.

use std::collections::{HashMap, HashSet};

use preceptor_core::id::ObjectId;
use preceptor_core::{Capability, Scope};
use preceptor_objects::{Key, Part};
use preceptor_store::TenantTx;

use super::{check_reach, sees_drafts};
use crate::Error;
use crate::store::verifications::Marked;
use crate::store::{source, source_version, sources, verifications, versions};

/// A version whose content the subject may read. Holding one is the proof.
#[derive(Debug, Clone)]
pub(crate) struct Readable {
    version_id: String,
    object_id: String,
}

impl Readable {
    fn of(version: &source_version::Model) -> Self {
        Self { version_id: version.id.clone(), object_id: version.object_id.clone() }
    }

    /// The version that may be read.
    pub(crate) fn version_id(&self) -> &str {
        &self.version_id
    }

    /// The key of one of its stored parts.
    pub(super) fn object(&self, scope: &Scope, part: Part) -> Result<Key, Error> {
        let object: ObjectId =
            self.object_id.parse().map_err(|_| Error::Defect("an object id cannot be read".into()))?;
        Ok(Key::new(scope.org(), object, part))
    }
}

/// A version of a program that the subject reaches, of which it may be quoted what is published and was not retracted.
/// Holding one is half of the proof; the statement that reads with it is the other half.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quotable<'a> {
    program: &'a str,
    version: &'a str,
}

impl<'a> Quotable<'a> {
    /// What may be quoted of a version of a program.
    pub(super) fn of(scope: &Scope, program: &'a str, version: &'a str) -> Result<Self, Error> {
        check_reach(scope, program)?;
        Ok(Self { program, version })
    }

    /// The program.
    pub(crate) fn program(&self) -> &str {
        self.program
    }

    /// Its version.
    pub(crate) fn version(&self) -> &str {
        self.version
    }
}

/// What a subject may have of a version.
#[derive(Debug)]
pub(crate) enum Access {
    /// Its content.
    Readable(Readable),
    /// That it exists and was retracted, and nothing of its content.
    Quarantined,
}

impl Access {
    /// The content, or the error that says that it was retracted.
    pub(crate) fn content(self) -> Result<Readable, Error> {
        match self {
            Self::Readable(readable) => Ok(readable),
            Self::Quarantined => Err(Error::SourceRetracted),
        }
    }
}

/// A source as a subject sees it: which version, and what of it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) source: source::Model,
    pub(crate) version: source_version::Model,
    pub(crate) access: Access,
}

/// What the subject sees of a source, at the version that it names or else at the newest that it may see.
pub(crate) async fn see(tx: &TenantTx, scope: &Scope, source: &str, version: &str) -> Result<Seen, Error> {
    let source = sources::get(tx, source).await?;
    check_reach(scope, &source.program_id).map_err(|_| Error::SourceNotFound)?;
    let published = if sees_drafts(scope) {
        None
    } else {
        Some(versions::published_of(tx, &source.program_id, &source.id).await?)
    };
    let wanted = match (&published, version) {
        (None, "") => sources::version(tx, &source.newest_version_id).await?,
        (None, id) => sources::version(tx, id).await?,
        (Some(None), named) => return Err(unseen(tx, &source, named, None).await?),
        (Some(Some(visible)), named) if named.is_empty() || named == visible => {
            sources::version(tx, visible).await?
        }
        (Some(Some(visible)), named) => return Err(unseen(tx, &source, named, Some(visible)).await?),
    };
    if wanted.source_id != source.id {
        return Err(Error::SourceNotFound);
    }
    let withheld = published.is_some() && verifications::quarantine(tx, &wanted.id).await?.is_some();
    let access = if withheld { Access::Quarantined } else { Access::Readable(Readable::of(&wanted)) };
    Ok(Seen { source, version: wanted, access })
}

/// What a learner is told of a version that it names and does not see. A link in an old answer leads to one that was
/// published before; of drafts nothing is said, not even that they exist.
async fn unseen(
    tx: &TenantTx,
    source: &source::Model,
    version: &str,
    current: Option<&String>,
) -> Result<Error, Error> {
    let was_published = versions::was_published(tx, &source.program_id, &source.id, version).await?;
    Ok(if was_published {
        Error::SourceReplaced { current: current.cloned() }
    } else {
        Error::SourceNotFound
    })
}

/// What the subject sees of these sources of a program, in their order; what it may not see is left out.
pub(crate) async fn see_all(
    tx: &TenantTx,
    scope: &Scope,
    program: &str,
    rows: Vec<source::Model>,
) -> Result<Vec<(source::Model, Marked)>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let visible: HashMap<String, String> = if sees_drafts(scope) {
        rows.iter().map(|row| (row.id.clone(), row.newest_version_id.clone())).collect()
    } else {
        versions::published_sources(tx, program)
            .await?
            .into_iter()
            .map(|row| (row.source_id, row.source_version_id))
            .collect()
    };
    let ids = rows.iter().filter_map(|row| visible.get(&row.id).cloned()).collect();
    let mut versions: HashMap<String, Marked> = verifications::marked(tx, ids)
        .await?
        .into_iter()
        .map(|marked| (marked.version.source_id.clone(), marked))
        .collect();
    Ok(rows.into_iter().filter_map(|row| versions.remove(&row.id).map(|version| (row, version))).collect())
}

/// Of these versions of a program, those that may be quoted in an answer or a quiz: what was retracted is quoted to
/// no one.
pub(crate) async fn quotable(
    tx: &TenantTx,
    scope: &Scope,
    program: &str,
    ids: Vec<String>,
) -> Result<HashMap<String, Readable>, Error> {
    check_reach(scope, program)?;
    let withheld: HashSet<String> = verifications::quarantined(tx, program).await?.into_iter().collect();
    let rows = sources::versions(tx, ids)
        .await?
        .into_iter()
        .filter(|row| row.program_id == program && !withheld.contains(&row.id));
    Ok(rows.map(|row| (row.id.clone(), Readable::of(&row))).collect())
}

/// Versions of a program for those who review it, what was retracted included.
pub(crate) async fn reviewable(
    tx: &TenantTx,
    scope: &Scope,
    program: &str,
    ids: Vec<String>,
) -> Result<HashMap<String, Readable>, Error> {
    if !sees_drafts(scope) {
        return quotable(tx, scope, program, ids).await;
    }
    check_reach(scope, program)?;
    let rows = sources::versions(tx, ids).await?.into_iter().filter(|row| row.program_id == program);
    Ok(rows.map(|row| (row.id.clone(), Readable::of(&row))).collect())
}

/// A version for the platform itself, which indexes what may be released later. No one else gets one this way.
pub(crate) fn for_platform(tx: &TenantTx, version: &source_version::Model) -> Result<Readable, Error> {
    if !tx.scope().grants(Capability::Operate) || version.org_id != tx.org_key() {
        return Err(Error::SourceNotFound);
    }
    Ok(Readable::of(version))
}
