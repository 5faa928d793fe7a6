//! Drawing pages, in a process of its own and once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use preceptor_core::Scope;
use preceptor_objects::{ObjectError, Objects as _, Part};
use preceptor_sandbox::{Lane, SandboxError, Work};

use super::Content;
use super::readable::Readable;
use crate::Error;
use crate::store::source_version;
use crate::worker::{self, Drawn};
use preceptor_extract::ExtractError;

/// A page of a source version.
type Page = (String, u32);

/// What this process knows of pages: who draws which now, and which were too costly.
#[derive(Debug, Default)]
pub(super) struct Drawings {
    under_way: Mutex<HashMap<Page, Arc<tokio::sync::Mutex<()>>>>,
    costly: Mutex<HashSet<Page>>,
}

impl Drawings {
    /// Pages that are remembered as too costly.
    const MOST: usize = 10_000;

    /// Who draws this page waits for who draws it already.
    fn turn(&self, page: &Page) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Each that draws or waits holds a reference of its own.
        all.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(all.entry(page.clone()).or_default())
    }

    fn is_costly(&self, page: &Page) -> bool {
        self.costly.lock().unwrap_or_else(PoisonError::into_inner).contains(page)
    }

    fn note_costly(&self, page: Page) {
        let mut costly = self.costly.lock().unwrap_or_else(PoisonError::into_inner);
        if costly.len() >= Self::MOST {
            costly.clear();
        }
        costly.insert(page);
    }
}

impl Content {
    /// A page as a picture: the one that was drawn before, or a new one. A page that costs too much is not begun twice.
    pub(super) async fn drawn(
        &self,
        scope: &Arc<Scope>,
        version: &source_version::Model,
        readable: &Readable,
        number: u32,
    ) -> Result<Bytes, Error> {
        let key = readable.object(scope, Part::Picture(number))?;
        let page = (version.id.clone(), number);
        let turn = self.drawings.turn(&page);
        let _turn = turn.lock().await;
        match self.deps.objects.get(key).await {
            Ok(drawn) => return Ok(drawn),
            Err(ObjectError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if self.drawings.is_costly(&page) {
            return Err(ExtractError::TooCostly.into());
        }
        let drawn = self.draw(scope, version, readable, number).await;
        if matches!(drawn, Err(Error::Sandbox(SandboxError::TooCostly(_)))) {
            self.drawings.note_costly(page);
            return Err(ExtractError::TooCostly.into());
        }
        let drawn = drawn?;
        self.deps.objects.put(key, drawn.clone()).await?;
        Ok(drawn)
    }

    /// Has a page drawn by a child process, which ends with the one who waits for the picture.
    async fn draw(
        &self,
        scope: &Arc<Scope>,
        version: &source_version::Model,
        readable: &Readable,
        page: u32,
    ) -> Result<Bytes, Error> {
        let place = self.deps.sandbox.place(Lane::Draw, scope.org()).await?;
        let file = self.deps.objects.get(readable.object(scope, Part::Original)?).await?;
        let request =
            worker::Request { media_type: version.media_type.clone(), limits: self.config.limits(), page };
        let request = postcard::to_stdvec(&request).map_err(|error| Error::Defect(error.to_string()))?;
        let work = Work { kind: worker::DRAW, request, file, progress: None };
        let answer = match self.deps.sandbox.run(place, work).await {
            Ok(answer) => answer,
            Err(SandboxError::Failed(why)) => {
                tracing::error!(why, source_version.id = version.id, page, "a page could not be drawn");
                return Err(Error::PageNotFound);
            }
            Err(error) => {
                tracing::warn!(%error, source_version.id = version.id, page, "a page was not drawn");
                return Err(error.into());
            }
        };
        let drawn: Result<Drawn, ExtractError> =
            postcard::from_bytes(&answer).map_err(|error| Error::Defect(error.to_string()))?;
        Ok(drawn?.bytes.into())
    }
}
