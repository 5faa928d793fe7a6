//! Credentials as they are listed: a page of them, each with whether it opens its door now.
//!
//! What is behind the credentials of a page is read and checked together, so that a page costs the same however many it
//! shows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{Capability, Scope};
use preceptor_store::StoreError;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};

use super::credentials::{DEEPEST, TRIES};
use super::kinds::Kind;
use super::roll::Roll;
use super::{Accounts, seals};
use crate::Error;
use crate::store::{credential, staff};

/// A credential as it is listed.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) row: credential::Model,
    pub(crate) live: bool,
}

/// Credentials with all that they were made with, by id.
type Known = HashMap<String, credential::Model>;

impl Accounts {
    /// A page of the credentials of staff and apps, newest first; without `administer` the caller's own.
    pub(crate) async fn list_credentials(
        &self,
        scope: &Scope,
        staff_id: &str,
        limit: u64,
        after: &str,
    ) -> Result<(Vec<Listed>, String), Error> {
        let own = scope.subject().to_owned();
        let of = if scope.grants(Capability::Administer) { staff_id.to_owned() } else { own };
        if !staff_id.is_empty() && staff_id != of {
            return Err(Error::StaffNotFound);
        }
        let mut select = credential::Entity::find()
            .filter(credential::Column::OrgId.eq(scope.org().to_string()))
            .filter(
                credential::Column::Kind
                    .is_in([Kind::Api, Kind::Session, Kind::Link, Kind::Service].map(Kind::name)),
            )
            .filter(credential::Column::ProgramId.is_null());
        if !of.is_empty() {
            select = select.filter(credential::ending_with(&of));
        }
        self.page(scope, select, limit, after).await
    }

    /// A page of the credentials of a learner, newest first, for an admin who wants to end one that leaked.
    pub(crate) async fn list_learner_credentials(
        &self,
        scope: &Scope,
        learner: &str,
        limit: u64,
        after: &str,
    ) -> Result<(Vec<Listed>, String), Error> {
        if !scope.grants(Capability::Administer) {
            return Err(Error::AdminsOnly);
        }
        let select = credential::Entity::find()
            .filter(credential::Column::OrgId.eq(scope.org().to_string()))
            .filter(credential::Column::Subject.eq(learner))
            .filter(credential::Column::ProgramId.is_not_null());
        self.page(scope, select, limit, after).await
    }

    async fn page(
        &self,
        scope: &Scope,
        mut select: Select<credential::Entity>,
        limit: u64,
        after: &str,
    ) -> Result<(Vec<Listed>, String), Error> {
        if !after.is_empty() {
            select = select.filter(credential::Column::Id.lt(after));
        }
        let select = select.order_by_desc(credential::Column::Id).limit(limit + 1);
        let mut rows = self.deps.control.all(select).await?;
        let more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        let next =
            if more { rows.last().map(|row| row.id.clone()).unwrap_or_default() } else { String::new() };
        let open = self.open_ones(scope.org(), &rows).await?;
        let listed = rows.into_iter().map(|row| Listed { live: open.contains(&row.id), row }).collect();
        Ok((listed, next))
    }

    /// The ids of those of an org's credentials that open their doors.
    async fn open_ones(&self, org: OrgId, rows: &[credential::Model]) -> Result<HashSet<String>, Error> {
        if rows.is_empty() {
            return Ok(HashSet::new());
        }
        let known = self.with_makers(org, rows).await?;
        for _ in 0..TRIES {
            match self.open_by(&self.roll(org).await?, org, rows, &known).await {
                // Someone was changed meanwhile.
                Err(Error::Store(StoreError::Busy)) => {}
                done => return done,
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    /// Credentials and all that they were made with; a row that was changed by hand is left out.
    async fn with_makers(&self, org: OrgId, rows: &[credential::Model]) -> Result<Known, Error> {
        let mut known = Known::new();
        let mut asked: HashSet<String> = rows.iter().map(|row| row.id.clone()).collect();
        let mut read = rows.to_vec();
        for _ in 0..=DEEPEST {
            let mut makers = BTreeSet::new();
            for row in seals::all_intact(&*self.deps.keys, read).await? {
                makers.extend(row.parent_id.clone().filter(|maker| asked.insert(maker.clone())));
                known.insert(row.id.clone(), row);
            }
            if makers.is_empty() {
                break;
            }
            let select = credential::Entity::find()
                .filter(credential::Column::OrgId.eq(org.to_string()))
                .filter(credential::Column::Id.is_in(makers));
            read = self.deps.control.all(select).await?;
        }
        Ok(known)
    }

    /// The same by one roll. Members of staff are read after it: the row of one is as new as the roll, or newer.
    async fn open_by(
        &self,
        roll: &Arc<Roll>,
        org: OrgId,
        rows: &[credential::Model],
        known: &Known,
    ) -> Result<HashSet<String>, Error> {
        let people: BTreeSet<String> = known.values().filter_map(|row| row.ends_with().cloned()).collect();
        let members = if people.is_empty() {
            Vec::new()
        } else {
            let select = staff::Entity::find()
                .filter(staff::Column::OrgId.eq(org.to_string()))
                .filter(staff::Column::Id.is_in(people));
            seals::all_intact(&*self.deps.keys, self.deps.control.all(select).await?).await?
        };
        let members = members.into_iter().map(|member| (member.id.clone(), member)).collect();
        let mut open = HashSet::new();
        for row in rows {
            if self.opens(roll, row, known, &members).await? {
                open.insert(row.id.clone());
            }
        }
        Ok(open)
    }

    /// Whether a credential and all that it was made with are alive, as it is told of one that comes in by its door.
    async fn opens(
        &self,
        roll: &Arc<Roll>,
        row: &credential::Model,
        known: &Known,
        members: &HashMap<String, staff::Model>,
    ) -> Result<bool, Error> {
        let mut next = Some(&row.id);
        for _ in 0..=DEEPEST {
            let Some(id) = next else { return Ok(!self.is_idle(row)) };
            // What is gone, or was changed by hand, opens nothing.
            let Some(found) = known.get(id) else { return Ok(false) };
            match self.check_listed(roll, found, members).await {
                Ok(()) => next = found.parent_id.as_ref(),
                Err(Error::CredentialInvalid) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Err(Error::Defect("a credential has too many others behind it"))
    }

    async fn check_listed(
        &self,
        roll: &Arc<Roll>,
        row: &credential::Model,
        members: &HashMap<String, staff::Model>,
    ) -> Result<(), Error> {
        self.check_row(roll, row).await?;
        let Some(id) = row.ends_with() else { return Ok(()) };
        self.check_member(roll, row, members.get(id).ok_or(Error::CredentialInvalid)?).await
    }
}
