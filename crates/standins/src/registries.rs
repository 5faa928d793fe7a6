//! The E-utilities of NCBI, Crossref and the NPI registry, for articles and providers that are told to it.
//!
//! The forms of answers are those of NCBI's documentation (NBK25497) and of recorded answers; recorded bytes can be served
//! as they are.
#![expect(clippy::disallowed_types, reason = "answers as the servers of others do")]

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use preceptor_runtime::tasks::Tasks;
use serde_json::json;
use tokio::net::TcpListener;

/// What became of an article.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Nothing.
    #[default]
    Sound,
    /// An erratum was published.
    Corrected,
    /// An expression of concern was published.
    Doubted,
    /// It was retracted.
    Retracted,
    /// It was retracted; only Crossref knows so far.
    RetractedAtCrossrefOnly,
}

/// An article.
#[derive(Debug, Clone, Default)]
pub struct Article {
    /// PubMed's number; empty for one that PubMed does not have.
    pub pmid: String,
    /// Its DOI.
    pub doi: String,
    /// Its title.
    pub title: String,
    /// Its journal.
    pub journal: String,
    /// What became of it.
    pub status: Status,
}

/// A provider of the NPI registry.
#[derive(Debug, Clone, Default)]
pub struct Provider {
    /// The number.
    pub npi: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The license, as a state's taxonomy entry has it.
    pub license: String,
    /// The number was deactivated.
    pub deactivated: bool,
}

/// What goes wrong with requests from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// "API rate limit exceeded", with status 429.
    RateLimit,
    /// The same with status 200, as it was seen.
    RateLimitWith200,
    /// A web page with status 200.
    WebPage,
    /// The answer breaks off.
    BrokenOff,
    /// Status 502.
    Down,
    /// The search behind it fails, which is told with status 200.
    Backend,
}

#[derive(Debug, Default)]
struct Known {
    articles: Vec<Article>,
    providers: Vec<Provider>,
    /// Recorded answers of efetch, by PubMed's number.
    recorded: BTreeMap<String, Vec<u8>>,
    /// How many requests still go wrong, and how.
    trouble: Option<(usize, Trouble)>,
    /// API keys that are refused.
    refused: Vec<String>,
    requests: Vec<String>,
}

type Shared = Arc<Mutex<Known>>;

/// The registries on this machine. They stop when this is dropped.
#[derive(Debug)]
pub struct Registries {
    address: SocketAddr,
    known: Shared,
    server: Tasks,
}

impl Drop for Registries {
    fn drop(&mut self) {
        self.server.cancel();
    }
}

fn lock(known: &Shared) -> std::sync::MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registries {
    /// Starts on a free port.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let known = Shared::default();
        let router = Router::new()
            .route("/eutils/efetch.fcgi", get(efetch))
            .route("/eutils/esearch.fcgi", get(esearch))
            .route("/crossref/works/{*doi}", get(work))
            .route("/npi/", get(npi))
            .with_state(Arc::clone(&known));
        let server = Tasks::standalone("registries");
        let stop = server.stop_signal();
        server.spawn_once("http", async move {
            let _ = axum::serve(listener, router)
                .with_graceful_shutdown(async move { stop.requested().await })
                .await;
        });
        Ok(Self { address, known, server })
    }

    /// The URL for the setting `ingestion.pubmed_url`.
    pub fn pubmed_url(&self) -> String {
        format!("http://{}/eutils", self.address)
    }

    /// The URL for the setting `ingestion.crossref_url`.
    pub fn crossref_url(&self) -> String {
        format!("http://{}/crossref", self.address)
    }

    /// The URL for the setting `credentials.npi_registry`.
    pub fn npi_url(&self) -> String {
        format!("http://{}/npi/", self.address)
    }

    /// Makes an article known, or changes what is known of the one with that DOI.
    pub fn know(&self, article: Article) {
        let mut known = lock(&self.known);
        known.articles.retain(|other| other.doi != article.doi);
        known.articles.push(article);
    }

    /// Changes what became of the article with this number.
    pub fn change(&self, pmid: &str, status: Status) {
        for article in lock(&self.known).articles.iter_mut().filter(|article| article.pmid == pmid) {
            article.status = status;
        }
    }

    /// Serves recorded bytes for a number.
    pub fn replay(&self, pmid: &str, body: Vec<u8>) {
        lock(&self.known).recorded.insert(pmid.to_owned(), body);
    }

    /// Makes a provider known.
    pub fn know_provider(&self, provider: Provider) {
        lock(&self.known).providers.push(provider);
    }

    /// Refuses an API key from now on.
    pub fn refuse_key(&self, key: &str) {
        lock(&self.known).refused.push(key.to_owned());
    }

    /// Lets the next requests go wrong.
    pub fn set_trouble(&self, requests: usize, trouble: Trouble) {
        lock(&self.known).trouble = Some((requests, trouble));
    }

    /// Every request so far: path and query.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.known).requests.clone()
    }
}

/// Notes a request; answers it when something is to go wrong.
fn troubled(known: &Shared, request: String) -> Option<Response> {
    let mut known = lock(known);
    let search = request.starts_with("esearch");
    known.requests.push(request);
    let (left, trouble) = known.trouble.take()?;
    known.trouble = (left > 1).then_some((left - 1, trouble));
    let limit = r#"{"error":"API rate limit exceeded","api-key":"127.0.0.1","count":"4","limit":"3"}"#;
    Some(match trouble {
        Trouble::RateLimit => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "2")], limit).into_response(),
        Trouble::RateLimitWith200 => limit.into_response(),
        Trouble::WebPage => "<!DOCTYPE html><html><body><h1>Maintenance</h1></body></html>".into_response(),
        Trouble::BrokenOff => "<PubmedArticleSet><PubmedArticle><MedlineCitation>".into_response(),
        Trouble::Backend if search => {
            r#"{"header":{"type":"esearch","version":"0.3"},"esearchresult":{"ERROR":"Search Backend failed: read failed on [ptr]"}}"#
                .into_response()
        }
        Trouble::Backend => "<eFetchResult><ERROR>Unable to obtain query #1</ERROR></eFetchResult>".into_response(),
        Trouble::Down => (StatusCode::BAD_GATEWAY, "<html>502</html>").into_response(),
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn citation(article: &Article) -> String {
    let link = |kind: &str| {
        format!(
            r#"<CommentsCorrections RefType="{kind}"><RefSource>{}. 2026</RefSource><PMID>99</PMID></CommentsCorrections>"#,
            escaped(&article.journal)
        )
    };
    let journal_article = r#"<PublicationType UI="D016428">Journal Article</PublicationType>"#;
    let (types, links) = match article.status {
        Status::Sound | Status::RetractedAtCrossrefOnly => (journal_article.to_owned(), String::new()),
        Status::Corrected => (journal_article.to_owned(), link("ErratumIn")),
        Status::Doubted => (journal_article.to_owned(), link("ExpressionOfConcernIn")),
        Status::Retracted => (
            format!(
                r#"{journal_article}<PublicationType UI="D016441">Retracted Publication</PublicationType>"#
            ),
            link("RetractionIn"),
        ),
    };
    format!(
        "<PubmedArticle><MedlineCitation><PMID Version=\"1\">{}</PMID><Article><Journal><JournalIssue><PubDate><Year>2024</Year></PubDate></JournalIssue>\
         <Title>{}</Title></Journal><ArticleTitle>{}</ArticleTitle><PublicationTypeList>{types}</PublicationTypeList></Article>\
         <CommentsCorrectionsList>{links}</CommentsCorrectionsList></MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType=\"pubmed\">{}</ArticleId>\
         <ArticleId IdType=\"doi\">{}</ArticleId></ArticleIdList></PubmedData></PubmedArticle>",
        article.pmid,
        escaped(&article.journal),
        escaped(&title(article)),
        article.pmid,
        escaped(&article.doi),
    )
}

/// The answer to a request under a key that is refused.
fn refused(known: &Shared, query: &HashMap<String, String>) -> Option<Response> {
    let key = query.get("api_key")?;
    let refusal =
        json!({ "error": "API key invalid", "api-key": key, "type": "api-key", "status": "invalid" });
    lock(known).refused.contains(key).then(|| (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response())
}

/// The title as registries show it: publishers put a retraction before it.
fn title(article: &Article) -> String {
    match article.status {
        Status::Retracted => format!("RETRACTED: {}", article.title),
        _ => article.title.clone(),
    }
}

async fn efetch(State(known): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Response {
    let id = query.get("id").cloned().unwrap_or_default();
    let key = query.get("api_key").map(|key| format!(" api_key={key}")).unwrap_or_default();
    if let Some(trouble) = troubled(&known, format!("efetch id={id}{key}")) {
        return trouble;
    }
    if let Some(refusal) = refused(&known, &query) {
        return refusal;
    }
    if query.get("db").map(String::as_str) != Some("pubmed") {
        return "<eFetchResult><ERROR>Invalid db name specified</ERROR></eFetchResult>".into_response();
    }
    let known = lock(&known);
    if let Some(recorded) = known.recorded.get(&id) {
        return recorded.clone().into_response();
    }
    let found: String =
        known.articles.iter().filter(|article| !id.is_empty() && article.pmid == id).map(citation).collect();
    format!(
        "<?xml version=\"1.0\" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC \"-//NLM//DTD PubMedArticle, 1st January 2025//EN\" \
         \"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd\">\n<PubmedArticleSet>{found}</PubmedArticleSet>"
    )
    .into_response()
}

async fn esearch(State(known): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Response {
    let term = query.get("term").cloned().unwrap_or_default();
    if let Some(trouble) = troubled(&known, format!("esearch term={term}")) {
        return trouble;
    }
    if let Some(refusal) = refused(&known, &query) {
        return refusal;
    }
    let doi = term.trim_end_matches("[AID]").trim_matches('"').to_lowercase();
    let known = lock(&known);
    let ids: Vec<_> = known
        .articles
        .iter()
        .filter(|article| article.doi.to_lowercase() == doi && !article.pmid.is_empty())
        .map(|article| article.pmid.clone())
        .collect();
    axum::Json(
        json!({ "header": { "type": "esearch", "version": "0.3" }, "esearchresult": { "count": ids.len().to_string(), "idlist": ids } }),
    )
    .into_response()
}

async fn work(State(known): State<Shared>, Path(doi): Path<String>) -> Response {
    if let Some(trouble) = troubled(&known, format!("works/{doi}")) {
        return trouble;
    }
    let known = lock(&known);
    let Some(article) = known.articles.iter().find(|article| article.doi.eq_ignore_ascii_case(&doi)) else {
        return (StatusCode::NOT_FOUND, "Resource not found.").into_response();
    };
    let update = |kind: &str| json!([{ "type": kind, "DOI": format!("{}.notice", article.doi), "source": "publisher", "updated": { "date-parts": [[2026, 1, 1]] } }]);
    let mut message = json!({ "DOI": article.doi, "title": [title(article)], "container-title": [article.journal], "issued": { "date-parts": [[2024, 1]] } });
    match article.status {
        Status::Sound => {}
        Status::Corrected => message["updated-by"] = update("correction"),
        Status::Doubted => message["updated-by"] = update("expression_of_concern"),
        Status::Retracted | Status::RetractedAtCrossrefOnly => message["updated-by"] = update("retraction"),
    }
    axum::Json(json!({ "status": "ok", "message-type": "work", "message": message })).into_response()
}

async fn npi(State(known): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Response {
    let number = query.get("number").cloned().unwrap_or_default();
    if let Some(trouble) = troubled(&known, format!("npi {number}")) {
        return trouble;
    }
    if number.len() != 10 {
        return axum::Json(json!({ "Errors": [{ "description": "NPI must be 10 digits", "field": "number", "number": "06" }] }))
            .into_response();
    }
    let known = lock(&known);
    if known.providers.iter().any(|provider| provider.npi == number && provider.deactivated) {
        let description = format!("CMS deactivated NPI {number}. The provider can no longer use this NPI.");
        return axum::Json(
            json!({ "Errors": [{ "description": description, "field": "number", "number": "15" }] }),
        )
        .into_response();
    }
    let found = |provider: &Provider| {
        json!({
            "number": provider.npi, "enumeration_type": "NPI-1",
            "basic": { "first_name": provider.first_name.to_uppercase(), "last_name": provider.last_name.to_uppercase(), "status": "A", "credential": "M.D." },
            "taxonomies": [{ "code": "207R00000X", "desc": "Internal Medicine", "license": provider.license, "state": "CA", "primary": true }],
        })
    };
    let results: Vec<_> =
        known.providers.iter().filter(|provider| provider.npi == number).map(found).collect();
    axum::Json(json!({ "result_count": results.len(), "results": results })).into_response()
}
