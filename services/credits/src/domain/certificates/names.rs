//! Which orgs the public names lead to, in memory: anyone who tries names costs no reading of all orgs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use preceptor_core::id::OrgId;
use preceptor_store::{Handle, StoreError};

use super::codes;

/// How often unknown names may have all orgs read again. An org is known at once where its first name is made.
const PAUSE: Duration = Duration::from_secs(1);

/// Orgs by what public names begin with, and by their public names.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_letters: HashMap<String, Vec<OrgId>>,
    by_name: HashMap<String, OrgId>,
    read_at: Option<Instant>,
}

impl Names {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an org that has rows here.
    pub(super) fn know(&self, org: OrgId) {
        self.known().know(org);
    }

    /// The orgs that a code of certificates or activities can lead to.
    pub(super) async fn of_code(&self, code: &str, store: &Handle) -> Result<Vec<OrgId>, StoreError> {
        let letters = code.get(..codes::ORG_LETTERS).unwrap_or_default().to_owned();
        self.look(store, |known| known.by_letters.get(&letters).cloned()).await.map(Option::unwrap_or_default)
    }

    /// The org of a public name.
    pub(super) async fn of_name(&self, name: &str, store: &Handle) -> Result<Option<OrgId>, StoreError> {
        self.look(store, |known| known.by_name.get(name).copied()).await
    }

    async fn look<T>(
        &self,
        store: &Handle,
        find: impl Fn(&Known) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        {
            let mut known = self.known();
            let found = find(&known);
            if found.is_some() || known.read_at.is_some_and(|read_at| read_at.elapsed() < PAUSE) {
                return Ok(found);
            }
            known.read_at = Some(Instant::now());
        }
        let orgs = store.known_orgs().await?;
        let mut known = self.known();
        for org in orgs {
            known.know(org);
        }
        Ok(find(&known))
    }
}

impl Known {
    fn know(&mut self, org: OrgId) {
        let at = self.by_letters.entry(codes::of_org(org)).or_default();
        if !at.contains(&org) {
            at.push(org);
            self.by_name.insert(codes::public(org), org);
        }
    }
}
