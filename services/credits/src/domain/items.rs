//! The item bank: what is in it, and what reviewers decide.

use std::collections::BTreeMap;
use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::display::seen_lines;
use preceptor_core::id::{ItemDecisionId, ItemId, ItemVersionId};
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_rpc::Call;
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::compose::{Draft, Passage, Question, Source};
use super::words::states;
use super::{Credits, not_found_as, program_id, taking};
use crate::Error;
use crate::error::Missing;
use crate::store::{item_decision, item_option, item_passage, item_version, items};

const MOST_REASON: usize = 2000;

/// An item version with everything that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct ItemView {
    pub(crate) version: item_version::Model,
    pub(crate) options: Vec<item_option::Model>,
    pub(crate) passages: Vec<item_passage::Model>,
    pub(crate) decision: Option<item_decision::Model>,
}

states! {
    /// What was decided of an item version.
    State { Draft = "draft", Approved = "approved", Rejected = "rejected" }
}

impl ItemView {
    /// `draft`, `approved` or `rejected`.
    pub(crate) fn state(&self) -> &'static str {
        let state = match &self.decision {
            None => State::Draft,
            Some(decision) if decision.approved => State::Approved,
            Some(_) => State::Rejected,
        };
        state.name()
    }

    /// The item as it is judged.
    pub(crate) fn question(&self) -> Question {
        Question {
            kind: self.version.kind.clone(),
            stem: self.version.stem.clone(),
            options: self.options.iter().map(|option| (option.text.clone(), option.correct == 1)).collect(),
            passages: self.passages.iter().map(|passage| passage.passage_id.clone()).collect(),
        }
    }
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
        let answer = self
            .ingestion
            .clone()
            .read_content(call.request(request)?)
            .await
            .map_err(not_found_as(Missing::Program))?;
        let mut stream = answer.into_inner();
        let mut content = Content { sources: Vec::new(), standing: BTreeMap::new() };
        while let Some(source) = stream.message().await? {
            let standing = Standing { verification: source.verification, quarantined: source.quarantined };
            content.standing.insert(source.source_version_id.clone(), standing);
            let passages = source.passages.into_iter().map(passage).collect();
            content.sources.push(Source {
                id: source.source_id,
                version: source.source_version_id,
                title: source.source_title,
                passages,
            });
        }
        Ok(content)
    }

    /// The newest version of every item of a program.
    pub(crate) async fn items(
        &self,
        call: &Call,
        program: &str,
        state: &str,
        after: &str,
        limit: u64,
    ) -> Result<Vec<ItemView>, Error> {
        self.program(call, program).await?;
        let state = State::chosen(state)?;
        let scope = call.shared_scope();
        self.note_reader(&scope, program, "items read").await?;
        let tx = self.deps.store.read(&scope).await?;
        items::page(&tx, program, state, after, limit).await
    }

    /// A named human's decision. The database refuses the author's own.
    pub(crate) async fn decide_item(
        &self,
        scope: &Arc<Scope>,
        item: &str,
        approve: bool,
        reason: &str,
    ) -> Result<ItemView, Error> {
        let reason = seen_lines(reason);
        if reason.chars().count() > MOST_REASON || (!approve && reason.is_empty()) {
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
            tx.audit(
                AuditEntry::refused("item.approved", &view.version.id, "AUTHOR_CANNOT_DECIDE")
                    .in_program(program),
            )?;
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
            reason: reason.clone(),
            decided_at: tx.now().micros(),
        };
        tx.insert(decision.clone()).await?;
        taking::note_key_seen(&mut tx, &view.version.program_id, "item decided").await?;
        let action = if approve { "item.approved" } else { "item.rejected" };
        let entry = AuditEntry::done(action, &view.version.id).in_program(program).because(reason);
        tx.audit(
            entry
                .fact("decision", &decision.id)
                .fact("author", &decision.author)
                .fact("sha256", &view.version.sha256),
        )?;
        tx.commit().await?;
        view.decision = Some(decision);
        Ok(view)
    }
}

fn passage(passage: ingestion::Passage) -> Passage {
    let ranges = passage
        .sentence_starts
        .iter()
        .zip(&passage.sentence_ends)
        .map(|(start, end)| *start as usize..*end as usize);
    Passage {
        sentences: ranges.collect(),
        id: passage.id,
        ordinal: i64::from(passage.ordinal),
        text: passage.text,
    }
}

pub(super) fn check_kind(kind: &str, may_be_empty: bool) -> Result<(), Error> {
    let known = ["multiple_choice", "true_false"].contains(&kind) || (may_be_empty && kind.is_empty());
    if known { Ok(()) } else { Err(Error::field("kind", "must be multiple_choice or true_false")) }
}

pub(super) fn check_difficulty(difficulty: &str, may_be_empty: bool) -> Result<(), Error> {
    let known = ["easy", "moderate", "hard"].contains(&difficulty) || (may_be_empty && difficulty.is_empty());
    if known { Ok(()) } else { Err(Error::field("difficulty", "must be easy, moderate or hard")) }
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
pub(super) struct Parts {
    pub(super) item: String,
    pub(super) number: i64,
    pub(super) program: String,
    pub(super) author: String,
    pub(super) source: String,
    pub(super) source_version: String,
    pub(super) kind: String,
    pub(super) difficulty: String,
    pub(super) stem: String,
    pub(super) options: Vec<(String, bool)>,
    pub(super) explanation: String,
    pub(super) origin: &'static str,
    /// Ordinal, id and quote of each passage.
    pub(super) passages: Vec<(i64, String, String)>,
}

pub(super) fn rows(tx: &TenantTx, parts: Parts) -> ItemView {
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
        author: parts.author,
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

pub(super) fn draft_rows(tx: &TenantTx, program: &str, author: &str, draft: Draft) -> ItemView {
    rows(
        tx,
        Parts {
            item: ItemId::generate().to_string(),
            number: 1,
            program: program.to_owned(),
            author: author.to_owned(),
            source: draft.source_id,
            source_version: draft.source_version,
            kind: draft.kind.into_owned(),
            difficulty: draft.difficulty.into_owned(),
            stem: draft.stem,
            options: draft.options,
            explanation: draft.explanation,
            origin: "extractive",
            passages: vec![(draft.ordinal, draft.passage_id, draft.quote)],
        },
    )
}
