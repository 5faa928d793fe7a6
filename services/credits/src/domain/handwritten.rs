//! Items that people write: bound to passages, judged by the same rules as those that are made from the text.

use std::collections::HashSet;

use preceptor_core::display::seen_lines;
use preceptor_core::id::ItemId;
use preceptor_rpc::Call;
use preceptor_store::{AuditEntry, TenantTx};

use super::compose::{Passage, Question, Source};
use super::items::{Content, ItemView, Parts, check_difficulty, check_kind, rows};
use super::{Credits, bounded, program_id, taking};
use crate::Error;
use crate::error::Missing;
use crate::store::items;

const MOST_STEM: usize = 2000;
const MOST_OPTION: usize = 500;

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

impl NewItem {
    /// The item as learners will see it: no sign that is not seen makes two options of one.
    fn cleaned(mut self) -> Self {
        for text in
            self.options.iter_mut().map(|(text, _)| text).chain([&mut self.stem, &mut self.explanation])
        {
            *text = seen_lines(text);
        }
        self
    }

    fn question(&self) -> Question {
        Question {
            kind: self.kind.clone(),
            stem: self.stem.clone(),
            options: self.options.clone(),
            passages: self.passages.clone(),
        }
    }
}

impl Credits {
    /// Keeps an item written by hand, as a draft.
    pub(crate) async fn write_item(&self, call: &Call, new: NewItem) -> Result<ItemView, Error> {
        let new = new.cleaned();
        self.program(call, &new.program).await?;
        check_kind(&new.kind, false)?;
        check_difficulty(&new.difficulty, false)?;
        check_options(&new)?;
        let content = self.content(call, &new.program).await?;
        let bound = bind(&content, &new)?;
        let scope = call.shared_scope();
        let flaws = self.judge(scope.org(), content.sources, vec![new.question()]).await?;
        if let Some(flaw) = flaws.into_iter().flatten().next() {
            return Err(Error::ItemFlawed(flaw));
        }
        let mut tx = self.deps.store.write(&scope).await?;
        let view = hand_rows(&tx, &new, &bound).await?;
        items::insert(&tx, &view).await?;
        taking::note_key_seen(&mut tx, &new.program, "item written").await?;
        let entry = AuditEntry::done("item.written", &view.version.id).in_program(program_id(&new.program)?);
        tx.audit(entry.fact("sha256", &view.version.sha256))?;
        tx.commit().await?;
        Ok(view)
    }
}

fn check_options(new: &NewItem) -> Result<(), Error> {
    let right = new.options.iter().filter(|(_, right)| *right).count();
    let count_fits =
        if new.kind == "true_false" { new.options.len() == 2 } else { (3..=6).contains(&new.options.len()) };
    if !count_fits || right != 1 {
        return Err(Error::field(
            "options",
            "true_false has two, multiple_choice three to six, and exactly one is right",
        ));
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

/// The passages that an item names: all of one source.
fn bind(content: &Content, new: &NewItem) -> Result<(Source, Vec<Passage>), Error> {
    let holder = content
        .sources
        .iter()
        .find(|source| source.passages.iter().any(|passage| new.passages.first() == Some(&passage.id)));
    let source = holder
        .ok_or_else(|| Error::field("passage_ids", "name at least one passage of the published version"))?;
    let bound: Vec<Passage> =
        source.passages.iter().filter(|passage| new.passages.contains(&passage.id)).cloned().collect();
    if bound.len() != new.passages.len() {
        return Err(Error::field("passage_ids", "the passages of an item are of one source"));
    }
    Ok((source.clone(), bound))
}

async fn hand_rows(
    tx: &TenantTx,
    new: &NewItem,
    (source, bound): &(Source, Vec<Passage>),
) -> Result<ItemView, Error> {
    let (item, number) = match &new.item {
        None => (ItemId::generate().to_string(), 1),
        Some(item) => {
            let newest =
                items::newest_of(tx, item).await?.filter(|view| view.version.program_id == new.program);
            (item.clone(), newest.ok_or(Error::NotFound(Missing::Item))?.version.number + 1)
        }
    };
    Ok(rows(
        tx,
        Parts {
            item,
            number,
            program: new.program.clone(),
            author: tx.scope().subject().to_owned(),
            source: source.id.clone(),
            source_version: source.version.clone(),
            kind: new.kind.clone(),
            difficulty: new.difficulty.clone(),
            stem: bounded("stem", &new.stem, MOST_STEM)?,
            options: new.options.iter().map(|(text, right)| (text.trim().to_owned(), *right)).collect(),
            explanation: new.explanation.trim().to_owned(),
            origin: "hand",
            passages: bound
                .iter()
                .map(|passage| (passage.ordinal, passage.id.clone(), passage.text.clone()))
                .collect(),
        },
    ))
}
