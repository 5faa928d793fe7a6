//! What anyone may know: with a certificate's code, what it says; of an activity that a certificate names, what it is; of
//! a provider, its keys and which certificates it voided.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use preceptor_certificate::status::status_list;
use preceptor_certificate::{Facts, IssuerKey, achievement, attach, badge_image, hash_data, proof_options};
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor, Timestamp};
use preceptor_keys::{KeyName, Purpose};
use preceptor_proto::audit::v1 as audit;
use preceptor_rpc::Note;
use serde_json::Value;

use super::codes;
use crate::Error;
use crate::domain::{Credits, PATIENCE, accreditations, offers};
use crate::error::Missing;
use crate::store::{annotation, awards, certificates, ledger, offers as offer_rows};

/// A list is signed again after this long, so that its date says how fresh it is.
const FRESH: Duration = Duration::from_secs(60);
/// Signed lists that are kept.
const MOST_LISTS: u64 = 256;

/// What anyone with the code may know.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) org: OrgId,
    pub(crate) facts: Facts,
    pub(crate) badge: String,
    pub(crate) signing_key: String,
    pub(crate) void: Option<ledger::Model>,
    pub(crate) annotations: Vec<annotation::Model>,
}

/// What anyone may know of an activity.
#[derive(Debug)]
pub(crate) struct Activity {
    /// What its certificates say alike.
    pub(crate) facts: Facts,
    /// Its achievement, as badges hold it.
    pub(crate) achievement: Value,
    /// Its image, SVG.
    pub(crate) image: String,
}

/// What anyone may know of a provider.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) org: OrgId,
    pub(crate) url: String,
    /// Its name on this platform.
    pub(crate) org_name: String,
    /// The names under which it says that it is accredited.
    pub(crate) names: BTreeSet<String>,
    /// Those whose accreditation the operator of the platform confirmed.
    pub(crate) confirmed_names: BTreeSet<String>,
    /// Its keys, the newest first.
    pub(crate) keys: Vec<IssuerKey>,
    /// The verifier key of its log.
    pub(crate) log_key: String,
}

/// A signed list of voided certificates.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) credential: Arc<str>,
    voided: Arc<[i64]>,
    made_at: Timestamp,
}

/// Lists that were signed lately, by name.
pub(crate) type Lists = moka::sync::Cache<String, List>;

pub(crate) fn lists() -> Lists {
    moka::sync::Cache::new(MOST_LISTS)
}

impl Credits {
    /// What a certificate says, to anyone who holds its code. That someone looked is for the record.
    pub(crate) async fn look_up(&self, code: &str, note: &Note) -> Result<Summary, Error> {
        let code = codes::typed(code);
        for org in self.orgs_of(&code).await? {
            let scope = Arc::new(Scope::of_system(SystemActor::Credits, org));
            let tx = self.deps.store.read(&scope).await?;
            let Some(row) = certificates::of_code(&tx, &code).await? else { continue };
            let award = std::slice::from_ref(&row.award_id);
            let void = awards::voids(&tx, award).await?.pop();
            let annotations = awards::annotations(&tx, award).await?;
            drop(tx);
            let (_, signed) = self.unseal(org, &row).await?;
            note.acting(Arc::new(Scope::of_system(SystemActor::Gateway, org)));
            note.fact("certificate", &row.id);
            let badge = signed.credential.to_string();
            return Ok(Summary {
                org,
                badge,
                facts: signed.facts,
                signing_key: row.signing_key,
                void,
                annotations,
            });
        }
        Err(Error::NotFound(Missing::Certificate))
    }

    /// The orgs that a code can lead to.
    async fn orgs_of(&self, code: &str) -> Result<Vec<OrgId>, Error> {
        if code.len() != codes::LENGTH {
            return Ok(Vec::new());
        }
        Ok(self.names.of_code(code, &self.deps.store).await?)
    }

    /// The org of a public name.
    async fn org_named(&self, name: &str) -> Result<Option<OrgId>, Error> {
        Ok(self.names.of_name(name, &self.deps.store).await?)
    }

    /// An activity that a certificate names. One under which nothing was awarded yet is no one's business.
    pub(crate) async fn activity(&self, code: &str) -> Result<Activity, Error> {
        let code = codes::typed(code);
        let offer = codes::offer_of(&code).ok_or(Error::NotFound(Missing::Activity))?.to_string();
        for org in self.orgs_of(&code).await? {
            let scope = Arc::new(Scope::of_system(SystemActor::Credits, org));
            let tx = self.deps.store.read(&scope).await?;
            let Some(offer) = offer_rows::get(&tx, &offer).await? else { continue };
            if !certificates::is_awarded(&tx, &offer.id).await? {
                continue;
            }
            let accreditation = offers::accreditation_of(&tx, &offer).await?;
            let mut facts = self.activity_facts(org, &offer, &accreditation.row);
            facts.details.accreditation_confirmed = accreditation.confirmation().is_some();
            let image = badge_image(&facts.activity, &facts.credit_name);
            return Ok(Activity { achievement: achievement(&facts), facts, image });
        }
        Err(Error::NotFound(Missing::Activity))
    }

    /// A provider that issued a certificate.
    pub(crate) async fn issuer(&self, name: &str) -> Result<Issuer, Error> {
        let org = self.org_named(name).await?.ok_or(Error::NotFound(Missing::Issuer))?;
        let (mut names, mut confirmed_names) = (BTreeSet::new(), BTreeSet::new());
        {
            let tx = self.deps.store.read(&Arc::new(Scope::of_system(SystemActor::Credits, org))).await?;
            if !certificates::is_any(&tx).await? {
                return Err(Error::NotFound(Missing::Issuer));
            }
            for accreditation in accreditations::all(&tx).await? {
                if accreditation.confirmation().is_some() {
                    confirmed_names.insert(accreditation.row.provider.clone());
                }
                names.insert(accreditation.row.provider);
            }
        }
        let keys = self.deps.keys.public_keys(KeyName::of_org(Purpose::Certificates, org)).await?;
        let keys = keys.into_iter().filter_map(|key| key.bytes.try_into().ok().map(IssuerKey::new)).collect();
        let call = self.deps.system.call(org, PATIENCE).await?;
        let log =
            self.audit.clone().get_log_key(call.request(audit::GetLogKeyRequest {})?).await?.into_inner();
        let org_name = self.org_name(&call, &org.to_string()).await?;
        Ok(Issuer {
            org,
            org_name,
            url: self.public_url("issuers", name),
            names,
            confirmed_names,
            keys,
            log_key: log.log_key,
        })
    }

    /// A list of voided certificates as it is now, signed. A void is in it from the request after its own.
    pub(crate) async fn status_list(&self, name: &str) -> Result<List, Error> {
        let (provider, number) = codes::of_list(name).ok_or(Error::NotFound(Missing::StatusList))?;
        let org = self.org_named(provider).await?.ok_or(Error::NotFound(Missing::StatusList))?;
        let (voided, now) = {
            let tx = self.deps.store.read(&Arc::new(Scope::of_system(SystemActor::Credits, org))).await?;
            if !certificates::has_list(&tx, number).await? {
                return Err(Error::NotFound(Missing::StatusList));
            }
            (certificates::voided(&tx, number).await?, tx.now())
        };
        let is_fresh = |list: &List| now.micros() - list.made_at.micros() < FRESH.as_micros() as i64;
        if let Some(known) =
            self.lists.get(name).filter(|list| list.voided[..] == voided[..] && is_fresh(list))
        {
            return Ok(known);
        }
        let credential = self.sign_list(org, name, &voided, now).await?;
        let made = List { credential: credential.to_string().into(), voided: voided.into(), made_at: now };
        self.lists.insert(name.to_owned(), made.clone());
        Ok(made)
    }

    async fn sign_list(
        &self,
        org: OrgId,
        name: &str,
        voided: &[i64],
        now: Timestamp,
    ) -> Result<Value, Error> {
        let key = self.issuer_key(org).await?;
        let made_at = now.to_string();
        let places = voided.iter().filter_map(|place| u32::try_from(*place).ok());
        let mut list = status_list(&self.public_url("v1/status-lists", name), &key, places, &made_at);
        let options = proof_options(&key, &made_at);
        let hashed = hash_data(&Value::Object(list.clone()), &options)?;
        attach(&mut list, options, &self.signature(org, &hashed).await?);
        Ok(Value::Object(list))
    }
}
