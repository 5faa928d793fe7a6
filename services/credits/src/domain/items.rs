//! The item bank: drafts, hand-written items, decisions.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::id::{ItemDecisionId, ItemId, ItemVersionId};
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_rpc::Call;
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::compose::{Draft, Passage, Source, Wanted, compose};
use super::{Credits, bounded, not_found_as, program_id};
use crate::Error;
use crate::error::Missing;
use crate::store::{item_decision, item_option, item_passage, item_version, items};

/// Items that one request makes at most.
const MOST_GENERATED: usize = 200;
const MOST_STEM: usize = 2000;
const MOST_OPTION: usize = 500;
const MOST_REASON: usize = 2000;

/// An item version with everything that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct ItemView {
    pub(crate) version: item_version::Model,
    pub(crate) options: Vec<item_option::Model>,
    pub(crate) passages: Vec<item_passage::Model>,
    pub(crate) decision: Option<item_decision::Model>,
}

impl ItemView {
    /// `draft`, `approved` or `rejected`.
    pub(crate) fn state(&self) -> &'static str {
        match &self.decision {
            None => "draft",
            Some(decision) if decision.approved => "approved",
            Some(_) => "rejected",
        }
    }
}

/// An item written by hand.
#[derive(Debug, Clone)]
pub(crate) struct NewItem {
    pub(crate) program: String,
    pub(crate) item: Option<String>,
    pub(crate) kind: String,
    pub(crate) difficulty: String,
    pub(crate) stem: String,
    pub(crate) options: Vec<(String, bool)>,
    pub(crate) explanation: String,
    pub(crate) passages: Vec<String>,
}

/// The published content of a program, with what was found out about each source.
pub(crate) struct Content {
    pub(crate) sources: Vec<Source>,
    /// By source version: its newest verification and whether it lost its standing.
    pub(crate) standing: BTreeMap<String, Standing>,
}

/// What counts for a source version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    pub(crate) verification: Option<ingestion::Verification>,
    pub(crate) quarantined: bool,
}

impl Standing {
    /// Whether content of this source may be asked about for credit.
    pub(crate) fn counts(&self) -> bool {
        !self.quarantined && self.verification.as_ref().is_some_and(|verification| verification.counts)
    }
}

impl Credits {
    /// Reads the published content of a program.
    pub(crate) async fn content(&self, call: &Call, program: &str) -> Result<Content, Error> {
        let request = ingestion::ReadContentRequest { program_id: program.to_owned() };
        let answer = self.ingestion.clone().read_content(call.request(request)?).await.map_err(not_found_as(Missing::Program))?;
        let mut stream = answer.into_inner();
        let mut content = Content { sources: Vec::new(), standing: BTreeMap::new() };
        while let Some(source) = stream.message().await? {
            let standing = Standing { verification: source.verification, quarantined: source.quarantined };
            content.standing.insert(source.source_version_id.clone(), standing);
            let passages = source.passages.into_iter().map(passage).collect();
            content.sources.push(Source { id: source.source_id, version: source.source_version_id, title: source.source_title, passages });
        }
        Ok(content)
    }

    /// Makes drafts from the verified sources of a program; says in words why there are fewer than wanted.
    pub(crate) async fn generate(&self, call: &Call, program: &str, wanted: Wanted) -> Result<(Vec<ItemView>, String), Error> {
        self.program(call, program).await?;
        if wanted.count == 0 || wanted.count > MOST_GENERATED {
            return Err(Error::field("count", format!("must be between 1 and {MOST_GENERATED}")));
        }
        check_kind(&wanted.kind, true)?;
        check_difficulty(&wanted.difficulty, true)?;
        let content = self.content(call, program).await?;
        let verified: Vec<Source> = content.sources.into_iter().filter(|source| content.standing[&source.version].counts()).collect();
        if verified.is_empty() {
            return Err(Error::FormNotReady("no published source of this program is verified yet; verify at least one first".into()));
        }
        let scope = call.shared_scope();
        let taken: HashSet<String> = items::stems(&self.deps.store.read(&scope).await?, program).await?.into_iter().collect();
        // Comparing every statement with every other is work for a core, not for the one that serves requests.
        let asked = wanted.clone();
        let drafts = tokio::task::spawn_blocking(move || compose(&verified, &asked, &taken)).await;
        let drafts = drafts.map_err(|error| Error::Defect(error.to_string()))?;
        let note = if drafts.len() < wanted.count {
            format!(
                "{} of {} were possible: the text holds no more statements whose answer is certain and whose alternatives are wrong",
                drafts.len(),
                wanted.count
            )
        } else {
            String::new()
        };
        Ok((self.keep_drafts(&scope, program, drafts).await?, note))
    }

    async fn keep_drafts(&self, scope: &Arc<Scope>, program: &str, drafts: Vec<Draft>) -> Result<Vec<ItemView>, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let mut views = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let view = draft_rows(&tx, program, draft);
            items::insert(&tx, &view).await?;
            views.push(view);
        }
        tx.audit(AuditEntry::done("items.generated", program).in_program(program_id(program)?).fact("count", views.len()))?;
        tx.commit().await?;
        Ok(views)
    }

    /// Keeps an item written by hand, as a draft.
    pub(crate) async fn write_item(&self, call: &Call, new: NewItem) -> Result<ItemView, Error> {
        self.program(call, &new.program).await?;
        check_kind(&new.kind, false)?;
        check_difficulty(&new.difficulty, false)?;
        check_options(&new)?;
        let content = self.content(call, &new.program).await?;
        let bound = bind(&content, &new)?;
        let scope = call.shared_scope();
        let mut tx = self.deps.store.write(&scope).await?;
        let view = hand_rows(&tx, &new, &bound).await?;
        items::insert(&tx, &view).await?;
        let entry = AuditEntry::done("item.written", &view.version.id).in_program(program_id(&new.program)?);
        tx.audit(entry.fact("sha256", &view.version.sha256))?;
        tx.commit().await?;
        Ok(view)
    }

    /// The newest version of every item of a program.
    pub(crate) async fn items(&self, call: &Call, program: &str, state: &str, after: &str, limit: u64) -> Result<Vec<ItemView>, Error> {
        self.program(call, program).await?;
        if !["", "draft", "approved", "rejected"].contains(&state) {
            return Err(Error::field("state", "must be draft, approved or rejected"));
        }
        let tx = self.deps.store.read(&call.shared_scope()).await?;
        let mut views = items::newest(&tx, program).await?;
        views.retain(|view| (state.is_empty() || view.state() == state) && view.version.item_id.as_str() > after);
        views.truncate(limit as usize);
        Ok(views)
    }

    /// A named human's decision. The database refuses the author's own.
    pub(crate) async fn decide_item(&self, scope: &Arc<Scope>, item: &str, approve: bool, reason: &str) -> Result<ItemView, Error> {
        if reason.chars().count() > MOST_REASON || (!approve && reason.trim().is_empty()) {
            return Err(Error::field("reason", "a rejection needs one, of at most 2000 characters"));
        }
        let mut tx = self.deps.store.write(scope).await?;
        let mut view = items::newest_of(&tx, item).await?.ok_or(Error::NotFound(Missing::Item))?;
        super::check_reach(scope, &view.version.program_id).map_err(|_| Error::NotFound(Missing::Item))?;
        if view.decision.is_some() {
            return Err(Error::ItemDecided(view.state().to_owned()));
        }
        let program = program_id(&view.version.program_id)?;
        if view.version.author == scope.subject() {
            tx.audit(AuditEntry::refused("item.approved", &view.version.id, "AUTHOR_CANNOT_DECIDE").in_program(program))?;
            tx.commit().await?;
            return Err(Error::AuthorCannotDecide);
        }
        let decision = item_decision::Model {
            org_id: tx.org_key(),
            id: ItemDecisionId::generate().to_string(),
            item_version_id: view.version.id.clone(),
            author: view.version.author.clone(),
            reviewer: scope.subject().to_owned(),
            approved: approve,
            reason: reason.trim().to_owned(),
            decided_at: tx.now().micros(),
        };
        tx.insert(decision.clone()).await?;
        let action = if approve { "item.approved" } else { "item.rejected" };
        let entry = AuditEntry::done(action, &view.version.id).in_program(program).because(reason.trim());
        tx.audit(entry.fact("decision", &decision.id).fact("author", &decision.author).fact("sha256", &view.version.sha256))?;
        tx.commit().await?;
        view.decision = Some(decision);
        Ok(view)
    }
}

fn passage(passage: ingestion::Passage) -> Passage {
    let ranges = passage.sentence_starts.iter().zip(&passage.sentence_ends).map(|(start, end)| *start as usize..*end as usize);
    Passage { sentences: ranges.collect(), id: passage.id, ordinal: i64::from(passage.ordinal), text: passage.text }
}

fn check_kind(kind: &str, may_be_empty: bool) -> Result<(), Error> {
    let known = ["multiple_choice", "true_false"].contains(&kind) || (may_be_empty && kind.is_empty());
    if known { Ok(()) } else { Err(Error::field("kind", "must be multiple_choice or true_false")) }
}

fn check_difficulty(difficulty: &str, may_be_empty: bool) -> Result<(), Error> {
    let known = ["easy", "moderate", "hard"].contains(&difficulty) || (may_be_empty && difficulty.is_empty());
    if known { Ok(()) } else { Err(Error::field("difficulty", "must be easy, moderate or hard")) }
}

fn check_options(new: &NewItem) -> Result<(), Error> {
    let right = new.options.iter().filter(|(_, right)| *right).count();
    let count_fits = if new.kind == "true_false" { new.options.len() == 2 } else { (3..=6).contains(&new.options.len()) };
    if !count_fits || right != 1 {
        return Err(Error::field("options", "true_false has two, multiple_choice three to six, and exactly one is right"));
    }
    for (text, _) in &new.options {
        bounded("options", text, MOST_OPTION)?;
    }
    let distinct: HashSet<String> = new.options.iter().map(|(text, _)| text.trim().to_lowercase()).collect();
    if distinct.len() < new.options.len() {
        return Err(Error::field("options", "no two may say the same"));
    }
    Ok(())
}

/// The passages that a hand-written item names: all of one source, and the numbers of its key among them.
fn bind(content: &Content, new: &NewItem) -> Result<(Source, Vec<Passage>), Error> {
    let holder = content.sources.iter().find(|source| source.passages.iter().any(|passage| new.passages.first() == Some(&passage.id)));
    let source = holder.ok_or_else(|| Error::field("passage_ids", "name at least one passage of the published version"))?;
    let bound: Vec<Passage> = source.passages.iter().filter(|passage| new.passages.contains(&passage.id)).cloned().collect();
    if bound.len() != new.passages.len() {
        return Err(Error::field("passage_ids", "the passages of an item are of one source"));
    }
    let text: String = bound.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>().join("\n");
    let key = new.options.iter().find(|(_, right)| *right).map(|(text, _)| text.as_str()).unwrap_or_default();
    let shown = if new.kind == "true_false" { new.stem.as_str() } else { key };
    let is_false_statement = new.kind == "true_false" && key.trim().eq_ignore_ascii_case("false");
    let absent = numbers(shown).into_iter().find(|number| !numbers(&text).contains(number));
    match absent {
        Some(number) if !is_false_statement => Err(Error::ItemNotAnswered(format!(
            "the key says {number}, which is in none of the passages; bind the passage that answers the item"
        ))),
        _ => Ok((source.clone(), bound)),
    }
}

/// The numbers in a text, as they are written.
fn numbers(text: &str) -> HashSet<String> {
    let digits = |c: char| !(c.is_ascii_digit() || c == '.' || c == ',');
    text.split(digits).map(|part| part.trim_matches(['.', ','])).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// What an approval covers: everything a learner sees of an item, and what it is bound to.
fn fingerprint(stem: &str, options: &[(String, bool)], passages: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    add(stem);
    for (text, right) in options {
        add(text);
        add(if *right { "1" } else { "0" });
    }
    for (passage, quote) in passages {
        add(passage);
        add(quote);
    }
    hex::encode(hash.finalize())
}

/// What all rows of a new item version are made from.
struct Parts {
    item: String,
    number: i64,
    program: String,
    source: String,
    source_version: String,
    kind: String,
    difficulty: String,
    stem: String,
    options: Vec<(String, bool)>,
    explanation: String,
    origin: &'static str,
    /// Ordinal, id and quote of each passage.
    passages: Vec<(i64, String, String)>,
}

fn rows(tx: &TenantTx, parts: Parts) -> ItemView {
    let id = ItemVersionId::generate().to_string();
    let bound: Vec<_> = parts.passages.iter().map(|(_, id, quote)| (id.clone(), quote.clone())).collect();
    let count = parts.options.len() as i64;
    let version = item_version::Model {
        org_id: tx.org_key(),
        id: id.clone(),
        item_id: parts.item,
        number: parts.number,
        program_id: parts.program.clone(),
        source_id: parts.source,
        source_version_id: parts.source_version.clone(),
        kind: parts.kind,
        difficulty: parts.difficulty,
        sha256: fingerprint(&parts.stem, &parts.options, &bound),
        stem: parts.stem,
        explanation: parts.explanation,
        options: count,
        origin: parts.origin.to_owned(),
        author: tx.scope().subject().to_owned(),
        created_at: tx.now().micros(),
    };
    let option = |(place, (text, right)): (usize, (String, bool))| item_option::Model {
        org_id: tx.org_key(),
        item_version_id: id.clone(),
        option: place as i64 + 1,
        options: count,
        text,
        correct: i64::from(right),
    };
    let passage = |(ordinal, passage_id, quote): (i64, String, String)| item_passage::Model {
        org_id: tx.org_key(),
        item_version_id: id.clone(),
        ordinal,
        source_version_id: parts.source_version.clone(),
        program_id: parts.program.clone(),
        passage_id,
        quote,
    };
    ItemView {
        options: parts.options.into_iter().enumerate().map(option).collect(),
        passages: parts.passages.into_iter().map(passage).collect(),
        version,
        decision: None,
    }
}

fn draft_rows(tx: &TenantTx, program: &str, draft: Draft) -> ItemView {
    rows(
        tx,
        Parts {
            item: ItemId::generate().to_string(),
            number: 1,
            program: program.to_owned(),
            source: draft.source_id,
            source_version: draft.source_version,
            kind: draft.kind.to_owned(),
            difficulty: draft.difficulty.to_owned(),
            stem: draft.stem,
            options: draft.options,
            explanation: draft.explanation,
            origin: "extractive",
            passages: vec![(draft.ordinal, draft.passage_id, draft.quote)],
        },
    )
}

async fn hand_rows(tx: &TenantTx, new: &NewItem, (source, bound): &(Source, Vec<Passage>)) -> Result<ItemView, Error> {
    let (item, number) = match &new.item {
        None => (ItemId::generate().to_string(), 1),
        Some(item) => {
            let newest = items::newest_of(tx, item).await?.filter(|view| view.version.program_id == new.program);
            (item.clone(), newest.ok_or(Error::NotFound(Missing::Item))?.version.number + 1)
        }
    };
    Ok(rows(
        tx,
        Parts {
            item,
            number,
            program: new.program.clone(),
            source: source.id.clone(),
            source_version: source.version.clone(),
            kind: new.kind.clone(),
            difficulty: new.difficulty.clone(),
            stem: bounded("stem", &new.stem, MOST_STEM)?,
            options: new.options.iter().map(|(text, right)| (text.trim().to_owned(), *right)).collect(),
            explanation: new.explanation.trim().to_owned(),
            origin: "hand",
            passages: bound.iter().map(|passage| (passage.ordinal, passage.id.clone(), passage.text.clone())).collect(),
        },
    ))
}
