//! Freezing items as a quiz: links 4 and 5.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::id::FormId;
use preceptor_rpc::Call;
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::compose::{Flaw, Source};
use super::items::{Content, ItemView, Standing};
use super::links::KEY_SEEN;
use super::offers::{OfferView, policy_classes, policy_key};
use super::questions::Printed;
use super::{Credits, program_id, shown, taking};
use crate::Error;
use crate::error::Missing;
use crate::store::{attempts, form, form_item, form_source, items, offers};

/// Percent of right answers that pass, unless the provider says otherwise.
const DEFAULT_THRESHOLD: i64 = 60;
const MOST_ITEMS: usize = 100;
/// How often a learner may try, unless the provider says otherwise: so often that a bad day is no harm, and so seldom that
/// no one gets through by trying answers out.
pub(crate) const DEFAULT_ATTEMPTS: i64 = 3;

/// A form to be frozen.
#[derive(Debug, Clone)]
pub(crate) struct NewForm {
    pub(crate) program: String,
    /// Empty: every approved item.
    pub(crate) items: Vec<String>,
    pub(crate) threshold: i64,
    pub(crate) most_attempts: i64,
    pub(crate) classes: Vec<String>,
    pub(crate) leaderboard: bool,
}

/// What a learner sees before the start.
#[derive(Debug)]
pub(crate) struct QuizView {
    pub(crate) form: form::Model,
    pub(crate) offers: Vec<OfferView>,
    pub(crate) closed: Option<(&'static str, String)>,
    pub(crate) attempts_made: i64,
    pub(crate) evaluation_given: bool,
}

impl Credits {
    /// Freezes approved items of verified sources and opens the form to learners.
    pub(crate) async fn freeze(&self, call: &Call, new: NewForm) -> Result<form::Model, Error> {
        self.program(call, &new.program).await?;
        let threshold = if new.threshold == 0 { DEFAULT_THRESHOLD } else { new.threshold };
        if !(1..=100).contains(&threshold) {
            return Err(Error::field("threshold_percent", "must be between 1 and 100"));
        }
        if !(0..=100).contains(&new.most_attempts) {
            return Err(Error::field("most_attempts", "must be between 0 and 100; 0 sets no limit"));
        }
        let policy = policy_key(&policy_classes(&new.classes)?);
        let Content { sources: published, standing } = self.content(call, &new.program).await?;
        let scope = call.shared_scope();
        let flaws = self.flaws(&scope, &new.program, published).await?;
        let mut tx = self.deps.store.write(&scope).await?;
        let chosen = choose(&tx, &new, &standing, &flaws).await?;
        let sources = sources(&chosen, &standing)?;
        offers::ensure_policy(&tx, &policy).await?;
        let verified_at =
            sources.values().map(|verification| verification.verified_at).max().unwrap_or_default();
        let row = form::Model {
            org_id: tx.org_key(),
            id: FormId::generate().to_string(),
            program_id: new.program.clone(),
            number: attempts::forms_made(&tx, &new.program).await? + 1,
            policy_id: policy.clone(),
            threshold,
            items: chosen.len() as i64,
            most_attempts: new.most_attempts,
            content_verified_at: verified_at,
            leaderboard: new.leaderboard,
            sha256: fingerprint(&chosen, threshold, new.most_attempts),
            frozen_by: scope.subject().to_owned(),
            frozen_at: tx.now().micros(),
        };
        tx.insert(row.clone()).await?;
        let source_rows = sources.iter().map(|(version, verification)| form_source::Model {
            org_id: row.org_id.clone(),
            form_id: row.id.clone(),
            source_version_id: version.clone(),
            program_id: row.program_id.clone(),
            policy_id: policy.clone(),
            content_verified_at: verified_at,
            verification_id: verification.id.clone(),
            class: class_name(verification.class),
            counts: verification.counts,
            verified_at: verification.verified_at,
        });
        tx.insert_all(source_rows.collect::<Vec<_>>()).await?;
        tx.insert_all(item_rows(&row, &chosen)).await?;
        attempts::open_form(&tx, &row).await?;
        let entry = AuditEntry::done("quiz.frozen", &row.id).in_program(program_id(&new.program)?);
        tx.audit(entry.fact("sha256", &row.sha256).fact("threshold", threshold).fact("items", row.items))?;
        tx.commit().await?;
        Ok(row)
    }

    /// What is wrong with approved items by what is published now, by item: a passage that came later may answer one of
    /// them differently.
    async fn flaws(
        &self,
        scope: &Arc<Scope>,
        program: &str,
        published: Vec<Source>,
    ) -> Result<BTreeMap<String, Flaw>, Error> {
        let mut bank = items::newest(&self.deps.store.read(scope).await?, program).await?;
        bank.retain(|view| view.state() == "approved");
        let questions = bank.iter().map(ItemView::question).collect();
        let flaws = self.judge(scope.org(), published, questions).await?;
        let flawed = |(view, flaw): (ItemView, Option<Flaw>)| Some((view.version.item_id, flaw?));
        Ok(bank.into_iter().zip(flaws).filter_map(flawed).collect())
    }

    /// The open form of a program, with its items.
    pub(crate) async fn printed(&self, tx: &TenantTx, form: &str) -> Result<Arc<Printed>, Error> {
        let mut printed = self.printed_forms(tx, BTreeSet::from([form.to_owned()])).await?;
        printed.remove(form).ok_or(Error::NotFound(Missing::Quiz))
    }

    /// Forms with their items, by id; those that were shown lately are not read again.
    pub(crate) async fn printed_forms(
        &self,
        tx: &TenantTx,
        forms: BTreeSet<String>,
    ) -> Result<HashMap<String, Arc<Printed>>, Error> {
        let key = |form: &str| format!("{}/{form}", tx.org_key());
        let mut printed = HashMap::new();
        let mut unread = Vec::new();
        for form in forms {
            match self.forms.get(&key(&form)) {
                Some(known) => drop(printed.insert(form, known)),
                None => unread.push(form),
            }
        }
        if unread.is_empty() {
            return Ok(printed);
        }
        let rows = attempts::forms(tx, &unread).await?;
        let mut places: HashMap<String, Vec<form_item::Model>> = HashMap::new();
        for place in attempts::form_items(tx, &unread).await? {
            places.entry(place.form_id.clone()).or_default().push(place);
        }
        let asked: BTreeSet<&String> =
            places.values().flatten().map(|place| &place.item_version_id).collect();
        let versions = items::versions(tx, asked.into_iter().cloned().collect()).await?;
        for form in rows {
            let places = places.remove(&form.id).unwrap_or_default();
            let items = places.iter().filter_map(|place| versions.get(&place.item_version_id)).cloned();
            let read = Arc::new(Printed { items: items.collect(), places, form });
            self.forms.insert(key(&read.form.id), Arc::clone(&read));
            printed.insert(read.form.id.clone(), read);
        }
        Ok(printed)
    }

    /// What a learner sees before the start.
    pub(crate) async fn quiz(&self, call: &Call, program: &str) -> Result<QuizView, Error> {
        self.program(call, program).await?;
        let scope = call.shared_scope();
        let tx = self.deps.store.read(&scope).await?;
        let open = attempts::open_form_of(&tx, program).await?.ok_or(Error::NotFound(Missing::Quiz))?;
        let printed = self.printed(&tx, &open).await?;
        // An offer that counts other sources cannot be earned with this quiz, so it promises nothing here.
        let mut offered = offers::of_program(&tx, program).await?;
        offered.retain(|offer| offer.policy_id == printed.form.policy_id);
        let mut offers = super::offers::views(&tx, offered).await?;
        self.name_org(call, &mut offers).await?;
        Ok(QuizView {
            attempts_made: attempts::made(&tx, &open, scope.subject()).await?,
            evaluation_given: attempts::evaluation(&tx, program, scope.subject()).await?.is_some(),
            offers: offers.into_iter().map(|view| shown::offer(&scope, view)).collect(),
            closed: closed(&tx, &printed, &scope).await?,
            form: shown::form(&scope, printed.form.clone()),
        })
    }
}

/// Why no attempt at this form can begin now.
pub(crate) async fn closed(
    tx: &TenantTx,
    printed: &Printed,
    scope: &Scope,
) -> Result<Option<(&'static str, String)>, Error> {
    let versions: Vec<String> = printed.places.iter().map(|place| place.source_version_id.clone()).collect();
    if attempts::is_suspended(tx, &versions).await? {
        let message = "a source of this quiz was retracted or called into doubt; the provider has to review it before anyone can begin";
        return Ok(Some(("QUIZ_SUSPENDED", message.to_owned())));
    }
    let most = printed.form.most_attempts;
    let made = attempts::made(tx, &printed.form.id, scope.subject()).await?;
    if taking::has_seen_key(tx, &printed.form.program_id, scope.subject()).await? {
        let (code, message) = KEY_SEEN;
        return Ok(Some((code, message.to_owned())));
    }
    if most > 0 && made >= most {
        let message = format!("you have used all {most} attempts that this quiz allows; ask the provider");
        return Ok(Some(("RETAKES_USED_UP", message)));
    }
    Ok(None)
}

/// The items of a form: those named, or every approved one whose source counts and that has one right answer.
async fn choose(
    tx: &TenantTx,
    new: &NewForm,
    standing: &BTreeMap<String, Standing>,
    flaws: &BTreeMap<String, Flaw>,
) -> Result<Vec<ItemView>, Error> {
    let bank = items::newest(tx, &new.program).await?;
    let chosen: Vec<ItemView> = if new.items.is_empty() {
        let counts =
            |view: &ItemView| standing.get(&view.version.source_version_id).is_some_and(Standing::counts);
        let fits = |view: &ItemView| {
            view.state() == "approved" && counts(view) && !flaws.contains_key(&view.version.item_id)
        };
        bank.into_iter().filter(fits).take(MOST_ITEMS).collect()
    } else {
        if let Some(flaw) = new.items.iter().find_map(|item| flaws.get(item)) {
            return Err(Error::ItemFlawed(flaw.clone()));
        }
        let named = |id: &String| {
            bank.iter()
                .find(|view| view.version.item_id == *id)
                .cloned()
                .ok_or(Error::NotFound(Missing::Item))
        };
        new.items.iter().map(named).collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        return Err(Error::FormNotReady(
            "no approved item of a verified source is in the bank; have some approved first".into(),
        ));
    }
    if chosen.len() > MOST_ITEMS {
        return Err(Error::field("item_ids", format!("a quiz has at most {MOST_ITEMS} items")));
    }
    Ok(chosen)
}

/// The verification of every source that the items ask about.
fn sources(
    chosen: &[ItemView],
    standing: &BTreeMap<String, Standing>,
) -> Result<BTreeMap<String, preceptor_proto::ingestion::v1::Verification>, Error> {
    let mut found = BTreeMap::new();
    for item in chosen {
        let version = &item.version.source_version_id;
        let verification = standing.get(version).and_then(|standing| standing.verification.clone());
        let Some(verification) =
            verification.filter(|_| standing[version].counts() || !standing[version].quarantined)
        else {
            return Err(Error::Link(super::Link::Source));
        };
        found.insert(version.clone(), verification);
    }
    Ok(found)
}

fn class_name(class: i32) -> String {
    use preceptor_proto::ingestion::v1::SourceClass as Class;
    match Class::try_from(class).unwrap_or_default() {
        Class::Pubmed => "pubmed",
        Class::Crossref => "crossref",
        Class::Guideline => "guideline",
        Class::ProviderAttested => "provider_attested",
        Class::Unspecified => "",
    }
    .to_owned()
}

fn item_rows(form: &form::Model, chosen: &[ItemView]) -> Vec<form_item::Model> {
    let row = |(place, view): (usize, &ItemView)| form_item::Model {
        org_id: form.org_id.clone(),
        form_id: form.id.clone(),
        position: place as i64 + 1,
        items: form.items,
        item_version_id: view.version.id.clone(),
        program_id: form.program_id.clone(),
        source_version_id: view.version.source_version_id.clone(),
        // A draft has no decision: the database refuses it, and says which link is missing.
        decision_id: view.decision.as_ref().map(|decision| decision.id.clone()).unwrap_or_default(),
        approved: view.decision.as_ref().is_some_and(|decision| decision.approved),
    };
    chosen.iter().enumerate().map(row).collect()
}

/// What a frozen form is: its items by their own fingerprints, in order, and its terms.
fn fingerprint(items: &[ItemView], threshold: i64, most_attempts: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("threshold {threshold}\nattempts {most_attempts}\n"));
    for item in items {
        hash.update(format!("{} {}\n", item.version.id, item.version.sha256));
    }
    hex::encode(hash.finalize())
}
