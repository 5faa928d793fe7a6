//! The public API, as the command line and the developer tasks use it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use preceptor_core::Secret;
use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(180);
/// How soon slow work is looked at again: quickly at first, for small files.
const FIRST_POLL: Duration = Duration::from_millis(10);
/// How long the credential of an app lives that is made for one run.
const APP_SECONDS: u64 = 24 * 3600;
const LONGEST_POLL: Duration = Duration::from_millis(400);

/// A request with its answer.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// What was done.
    pub method: &'a Method,
    /// Where, without the query.
    pub path: &'a str,
    /// How it ended.
    pub status: u16,
    /// The headers of the answer.
    pub headers: &'a HeaderMap,
    /// The body of the answer.
    pub body: &'a [u8],
}

/// Sees every exchange of a client.
pub trait Watch: Send + Sync + std::fmt::Debug {
    /// An answer came.
    fn exchanged(&self, exchange: &Exchange<'_>);
}

/// A client of one server with one credential.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: String,
    token: Secret,
    watch: Option<Arc<dyn Watch>>,
    /// The credential of an app that admits this client's learners, once there is one.
    app: Arc<OnceCell<Secret>>,
}

impl Client {
    /// A client of `server`, such as `http://127.0.0.1:8080`.
    pub fn new(server: &str, token: Secret) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self {
            http,
            server: server.trim_end_matches('/').to_owned(),
            token,
            watch: None,
            app: Arc::default(),
        })
    }

    /// The same server with another credential.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Secret::new(token), app: Arc::default(), ..self.clone() }
    }

    /// The same client with someone who sees its exchanges.
    #[must_use]
    pub fn watched(&self, watch: Arc<dyn Watch>) -> Self {
        Self { watch: Some(watch), ..self.clone() }
    }

    /// The credential.
    pub fn token(&self) -> &str {
        self.token.expose()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server)).bearer_auth(self.token.expose())
    }

    async fn exchange(&self, request: RequestBuilder) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = request.build()?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.http.execute(request).await.with_context(|| {
            format!(
                "{} does not answer; start it with `preceptor up`, or name another server with --server",
                self.server
            )
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.context("the answer was cut off")?;
        if let Some(watch) = &self.watch {
            watch.exchanged(&Exchange {
                method: &method,
                path: &path,
                status: status.as_u16(),
                headers: &headers,
                body: &body,
            });
        }
        Ok((status, body))
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let (status, body) = Box::pin(self.exchange(request)).await?;
        let value: Value =
            if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap_or(Value::Null) };
        if status.is_success() {
            return Ok(value);
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        if value["code"].is_string() {
            bail!("{} ({}, request {})", text("detail"), text("code"), text("request_id"))
        }
        bail!("the server answered {status}")
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Writes.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Writes with another method than POST.
    pub async fn send_to(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.request(method, path).json(body)).await
    }

    /// Downloads a file.
    pub async fn download(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let (status, body) = Box::pin(self.exchange(self.request(Method::GET, path))).await?;
        anyhow::ensure!(
            status.is_success(),
            "the server answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body.to_vec())
    }

    /// Reads every page of a list.
    pub async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self
                .get(&format!("{path}{}limit=100{cursor}", if path.contains('?') { '&' } else { '?' }))
                .await?;
            found.extend(page["data"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(found),
            }
        }
    }

    /// Uploads a file to a program.
    pub async fn upload(&self, program: &str, file: Upload) -> anyhow::Result<Value> {
        let mut form = Form::new().part("file", Part::bytes(file.content).file_name(file.name));
        if let Some(title) = file.title {
            form = form.text("title", title);
        }
        if let Some(external_id) = file.external_id {
            form = form.text("external_id", external_id);
        }
        self.send(self.request(Method::POST, &format!("/v1/programs/{program}/sources")).multipart(form))
            .await
    }

    /// Looks at `path` until `ended`, quickly at first; `progress` sees every state on the way. A state that carries a
    /// problem is an error.
    pub async fn wait_until(
        &self,
        path: &str,
        progress: impl Fn(&Value),
        ended: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let mut pause = FIRST_POLL;
        loop {
            let state = self.get(path).await?;
            progress(&state);
            if let Some(problem) = state["problem"].as_object() {
                let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
                bail!("{} ({})", text("message"), text("code"));
            }
            if ended(&state) {
                return Ok(state);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_POLL);
        }
    }

    /// Waits until a source is read; `progress` sees every state on the way.
    pub async fn wait_for_source(&self, source: &str, progress: impl Fn(&Value)) -> anyhow::Result<Value> {
        self.wait_until(&format!("/v1/sources/{source}"), progress, |state| state["state"] != "extracting")
            .await
    }

    /// Waits until the version that was frozen last is visible.
    pub async fn wait_for_publication(
        &self,
        program: &str,
        progress: impl Fn(&Value),
    ) -> anyhow::Result<Value> {
        let cannot =
            |state: &Value| state["indexing"]["problem"].as_str().is_some_and(|problem| !problem.is_empty());
        let ended = |state: &Value| cannot(state) || state["state"] == "published";
        let state = self.wait_until(&format!("/v1/programs/{program}"), progress, ended).await?;
        anyhow::ensure!(
            !cannot(&state),
            "the program cannot be indexed: {}",
            state["indexing"]["problem"].as_str().unwrap_or_default()
        );
        Ok(state)
    }

    /// Has drafts of items made and waits for them; `progress` sees every state on the way.
    pub async fn generate_items(
        &self,
        program: &str,
        count: usize,
        progress: impl Fn(&Value),
    ) -> anyhow::Result<Vec<Value>> {
        let asked =
            self.post(&format!("/v1/programs/{program}/items/generate"), &json!({ "count": count })).await?;
        let path = format!("/v1/generations/{}", id(&asked, "id")?);
        let ended = self.wait_until(&path, progress, |state| state["state"] == "done").await?;
        let made = ended["item_ids"].as_array().cloned().unwrap_or_default();
        let bank = self.all(&format!("/v1/programs/{program}/items")).await?;
        Ok(bank.into_iter().filter(|item| made.contains(&item["id"])).collect())
    }

    /// Adds a member of staff; returns their client.
    pub async fn hire(&self, name: &str, role: &str) -> anyhow::Result<Self> {
        let created = self.post("/v1/staff", &json!({ "name": name, "role": role })).await?;
        Ok(self.with_token(id(&created, "token")?))
    }

    /// A client with the credential of an app, which admits learners. It is made once.
    pub async fn app(&self) -> anyhow::Result<Self> {
        let made = self.app.get_or_try_init(async || {
            let new = json!({ "kind": "service", "name": "Command line", "lifetime_seconds": APP_SECONDS, "confirm": self.token() });
            anyhow::Ok(Secret::new(id(&self.post("/v1/credentials", &new).await?, "secret")?))
        });
        Ok(self.with_token(made.await?.expose()))
    }

    /// A client of a learner of a program, admitted by the app of this client, which is an admin's.
    pub async fn learner(&self, program: &str, user_hash: &str) -> anyhow::Result<Self> {
        let issued = self
            .app()
            .await?
            .post(&format!("/v1/programs/{program}/learners"), &json!({ "user_hash": user_hash }))
            .await?;
        Ok(self.with_token(id(&issued, "token")?))
    }

    /// Uploads a file, hands it to review and has `reviewer` approve it; returns the source.
    pub async fn add_source(
        &self,
        reviewer: &Self,
        program: &str,
        file: Upload,
        reason: &str,
    ) -> anyhow::Result<Value> {
        let name = file.name.clone();
        let source = async {
            let source = id(&self.upload(program, file).await?, "id")?;
            self.wait_for_source(&source, |_| {}).await?;
            self.post(&format!("/v1/sources/{source}/submit"), &json!({})).await?;
            let decision = json!({ "approve": true, "reason": reason });
            reviewer.post(&format!("/v1/sources/{source}/decision"), &decision).await
        };
        source.await.context(name)
    }

    /// Publishes what is approved and waits until learners see it.
    pub async fn publish(&self, program: &str, reason: &str) -> anyhow::Result<()> {
        self.post(&format!("/v1/programs/{program}/publish"), &json!({ "reason": reason })).await?;
        self.wait_for_publication(program, |_| {}).await?;
        Ok(())
    }

    /// Asks a question and waits for the whole answer.
    pub async fn ask(&self, program: &str, question: &str) -> anyhow::Result<Value> {
        self.post(&format!("/v1/programs/{program}/messages"), &json!({ "question": question })).await
    }
}

/// A file on its way.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// Its name, which decides how it is read.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// A title; taken from the document when unset.
    pub title: Option<String>,
    /// The caller's own name for it.
    pub external_id: Option<String>,
}

impl Upload {
    /// Reads a file from disk.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let content = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, content, ..Self::default() })
    }
}

/// A text field that every answer of this kind has.
pub fn id(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("the server's answer has no {field}"))
}
