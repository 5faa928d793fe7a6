//! Asking registries: within their limits, with patience, and with a record of every request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use preceptor_cache::{Cache, Quota};
use preceptor_core::{Clock, Secret};
use preceptor_runtime::Breaker;
use sha2::{Digest as _, Sha256};

use super::{Article, CallRecord, Reading, Registry, Verdict, crossref, pubmed};
use crate::Config;
use crate::Error;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The pauses between tries, before jitter. NCBI asks for five seconds after its limit.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15)];
/// An answer about one article is smaller than this.
const LARGEST_ANSWER: usize = 4 << 20;
/// The longest wait for one's turn.
const LONGEST_TURN: Duration = Duration::from_secs(60);
/// Failures in a row after which a registry is left alone, and for how long.
const FAILURES: u32 = 6;
const LEFT_ALONE: Duration = Duration::from_secs(60);

/// What came of a question, with every request that it took.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The article; nothing when no registry has it.
    pub(crate) article: Option<Article>,
    pub(crate) calls: Vec<CallRecord>,
    /// True when a registry gave no answer that could change what is found: to be asked again later.
    pub(crate) try_again: bool,
}

/// The registries as this deployment reaches them.
pub(crate) struct Registries {
    http: reqwest::Client,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    pubmed_url: String,
    crossref_url: String,
    contact: String,
    key: Option<Secret>,
    /// Shortens the pauses: tests and the demo do not wait for a registry on their own machine.
    haste: f64,
    pubmed: Breaker,
    crossref: Breaker,
}

impl fmt::Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registries")
            .field("pubmed", &self.pubmed_url)
            .field("crossref", &self.crossref_url)
            .finish_non_exhaustive()
    }
}

/// Escapes everything that may not stand in a query or a path segment.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

impl Registries {
    pub(crate) fn new(config: &Config, cache: Arc<dyn Cache>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            // A redirect would carry the key on, in the address or as its referrer.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(format!(
                "preceptor/{} (mailto:{})",
                env!("CARGO_PKG_VERSION"),
                config.registry_contact
            ))
            .build()
            .map_err(|error| Error::Defect(error.to_string()))?;
        let is_near = |url: &str| url.starts_with("http://127.0.0.1:");
        Ok(Self {
            http,
            cache,
            clock,
            haste: if is_near(&config.pubmed_url) && is_near(&config.crossref_url) { 0.02 } else { 1.0 },
            pubmed_url: config.pubmed_url.trim_end_matches('/').to_owned(),
            crossref_url: config.crossref_url.trim_end_matches('/').to_owned(),
            contact: config.registry_contact.clone(),
            key: config.ncbi_api_key.clone(),
            pubmed: Breaker::new(FAILURES, LEFT_ALONE),
            crossref: Breaker::new(FAILURES, LEFT_ALONE),
        })
    }

    /// Asks PubMed first and Crossref second, under the org's own key if it has one. Both say whether an article was
    /// retracted; the worse finding counts.
    pub(crate) async fn ask(&self, pmid: &str, doi: &str, key: Option<&Secret>) -> Asked {
        Asking { registries: self, key: key.or(self.key.as_ref()), calls: Vec::new() }.ask(pmid, doi).await
    }
}

/// What names a key without telling it: its bucket, and what people compare.
pub(crate) fn key_fingerprint(key: &Secret) -> String {
    hex::encode(&Sha256::digest(key.expose())[..8])
}

/// One question, with every request that it takes.
struct Asking<'a> {
    registries: &'a Registries,
    key: Option<&'a Secret>,
    calls: Vec<CallRecord>,
}

impl<'a> Asking<'a> {
    async fn ask(mut self, pmid: &str, doi: &str) -> Asked {
        let mut silent = false;
        let number = if pmid.is_empty() { self.number(doi).await } else { Reading::Found(pmid.to_owned()) };
        let in_pubmed = match number {
            Reading::Found(number) => self.in_pubmed(&number).await,
            Reading::Nothing(why) => Reading::Nothing(why),
            Reading::NoAnswer(why) => Reading::NoAnswer(why),
        };
        silent |= matches!(in_pubmed, Reading::NoAnswer(_));
        let found = match in_pubmed {
            Reading::Found(article) => Some(article),
            _ => None,
        };
        let known_doi = found
            .as_ref()
            .map(|article| article.doi.as_str())
            .filter(|doi| !doi.is_empty())
            .unwrap_or(doi)
            .to_owned();
        let in_crossref = if known_doi.is_empty() {
            Reading::Nothing("no DOI is known")
        } else {
            self.in_crossref(&known_doi).await
        };
        silent |= matches!(in_crossref, Reading::NoAnswer(_));
        let article = match (found, in_crossref) {
            (Some(article), Reading::Found(second)) => Some(worse(article, second)),
            (Some(article), _) => Some(article),
            (None, Reading::Found(second)) => Some(second),
            (None, _) => None,
        };
        // One registry alone can say that an article was retracted, and not that it is sound.
        let is_final = article.as_ref().is_some_and(|article| article.verdict.is_retraction());
        Asked { try_again: silent && !is_final, article, calls: self.calls }
    }

    async fn number(&mut self, doi: &str) -> Reading<String> {
        let request =
            format!("esearch.fcgi?db=pubmed&retmode=json&term={}", escaped(&format!("\"{doi}\"[AID]")));
        self.answered(Registry::PubMed, &request, pubmed::number).await
    }

    async fn in_pubmed(&mut self, pmid: &str) -> Reading<Article> {
        let request = format!("efetch.fcgi?db=pubmed&retmode=xml&id={}", escaped(pmid));
        self.answered(Registry::PubMed, &request, |body| pubmed::article(body, pmid)).await
    }

    async fn in_crossref(&mut self, doi: &str) -> Reading<Article> {
        let request = format!("works/{}", escaped(doi));
        self.answered(Registry::Crossref, &request, |body| crossref::article(body, doi)).await
    }

    /// Asks until there is an answer, a few times at most.
    async fn answered<T: fmt::Debug>(
        &mut self,
        registry: Registry,
        request: &str,
        read: impl Fn(&[u8]) -> Reading<T>,
    ) -> Reading<T> {
        let breaker = match registry {
            Registry::PubMed => &self.registries.pubmed,
            Registry::Crossref => &self.registries.crossref,
        };
        let mut pauses = PAUSES.into_iter();
        loop {
            if breaker.is_open() {
                return Reading::NoAnswer("the registry failed too often and is left alone for a minute");
            }
            if !self.take_turn(registry).await {
                return Reading::NoAnswer("too many questions wait for this registry");
            }
            let (mut record, asked_to_wait) = self.request(registry, request).await;
            let reading = match record.status {
                200 => read(&record.body),
                404 if registry == Registry::Crossref => Reading::Nothing("Crossref has no work of this DOI"),
                400 if says(&record.body, &["id list is empty", "empty id list"]) => {
                    Reading::Nothing("PubMed has no article of this number")
                }
                400 if self.key.is_some() && says(&record.body, &["api key invalid"]) => {
                    // No fault of the registry's, and no reason to leave others unanswered: asked again without that key.
                    record.finding = String::from("NCBI refuses the API key; set a valid one or remove it");
                    self.calls.push(record);
                    self.key = self.other_key();
                    continue;
                }
                _ => Reading::NoAnswer("the registry gave no answer"),
            };
            record.finding = match &reading {
                Reading::Found(_) => "found".to_owned(),
                Reading::Nothing(why) | Reading::NoAnswer(why) => (*why).to_owned(),
            };
            self.calls.push(record);
            breaker.note(!matches!(reading, Reading::NoAnswer(_)));
            if !matches!(reading, Reading::NoAnswer(_)) {
                return reading;
            }
            let Some(least) = pauses.next() else { return reading };
            tokio::time::sleep(pause(least, asked_to_wait, rand::random()).mul_f64(self.registries.haste))
                .await;
        }
    }

    /// The site's key, unless it is the one in use.
    fn other_key(&self) -> Option<&'a Secret> {
        let used = self.key.map(key_fingerprint);
        self.registries.key.as_ref().filter(|site| Some(key_fingerprint(site)) != used)
    }

    /// One request, on record; with how long the registry asks to wait.
    async fn request(&self, registry: Registry, request: &str) -> (CallRecord, Duration) {
        let all = self.registries;
        let url = match registry {
            Registry::PubMed => {
                let key =
                    self.key.map(|key| format!("&api_key={}", escaped(key.expose()))).unwrap_or_default();
                format!("{}/{request}&tool=preceptor&email={}{key}", all.pubmed_url, escaped(&all.contact))
            }
            Registry::Crossref => format!("{}/{request}?mailto={}", all.crossref_url, escaped(&all.contact)),
        };
        let mut record = CallRecord {
            registry: registry.name(),
            request: request.to_owned(),
            status: 0,
            body: Vec::new(),
            finding: String::new(),
            called_at: all.clock.now().micros(),
        };
        let Ok(response) = all.http.get(url).send().await else { return (record, Duration::ZERO) };
        record.status = i64::from(response.status().as_u16());
        let wait = retry_after(response.headers());
        match bounded(response).await {
            Some(body) => record.body = body,
            // A broken or endless answer is none.
            None => record.status = 0,
        }
        (record, wait)
    }

    /// Waits for a turn in the bucket that every replica shares: per key with one, per address of this site without.
    /// Returns false when none came in time: then nothing may be sent.
    async fn take_turn(&self, registry: Registry) -> bool {
        let (bucket, per_second) = match (registry, self.key) {
            (Registry::PubMed, Some(key)) => (format!("ncbi:key:{}", key_fingerprint(key)), 10),
            (Registry::PubMed, None) => ("ncbi:egress".to_owned(), 3),
            (Registry::Crossref, _) => ("crossref:egress".to_owned(), 10),
        };
        // One call per interval, and no burst: the registries count every second by itself.
        let quota = Quota { calls: 1, window: Duration::from_secs(1) / per_second };
        let mut waited = Duration::ZERO;
        while waited < LONGEST_TURN {
            let wait = match self.registries.cache.take(&bucket, quota).await {
                Ok(decision) if decision.allowed => return true,
                Ok(decision) => decision.reset.max(Duration::from_millis(5)),
                // Without the shared bucket no one knows what the others send.
                Err(_) => return false,
            };
            tokio::time::sleep(wait).await;
            waited += wait;
        }
        false
    }
}

/// How long to wait before the next try: as long as the registry asks, and up to twice that, so that those who were
/// refused together do not come back together. `jitter` is between 0 and 1.
fn pause(least: Duration, asked: Duration, jitter: f64) -> Duration {
    least.max(asked).mul_f64(1.0 + jitter)
}

/// How long a registry asks to be left alone (RFC 9110, 10.2.3, in seconds); a minute at most.
fn retry_after(headers: &reqwest::header::HeaderMap) -> Duration {
    let seconds =
        headers.get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST_TURN)
}

/// Whether a refusal says one of these. Those about the identifier are an answer, others are about the request.
fn says(body: &[u8], parts: &[&str]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    parts.iter().any(|part| text.contains(part))
}

/// The body of an answer, unless it breaks off or does not end.
async fn bounded(mut response: reqwest::Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// The first article with the worse verdict of both, and the markers of both.
fn worse(mut first: Article, second: Article) -> Article {
    let republished = first.verdict == Verdict::RetractedAndRepublished;
    // Crossref knows retractions and not what became of the article.
    if second.verdict > first.verdict && !(republished && second.verdict == Verdict::Retracted) {
        first.verdict = second.verdict;
    }
    first.markers.extend(second.markers);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    use preceptor_cache::MemoryCache;
    use preceptor_core::SystemClock;

    fn registries(key: Option<&str>) -> Registries {
        let config = Config { ncbi_api_key: key.map(Secret::new), ..Config::default() };
        Registries::new(&config, Arc::new(MemoryCache::new(Arc::new(SystemClock))), Arc::new(SystemClock))
            .expect("a client")
    }

    /// How long six turns take.
    async fn six_turns(registries: &Registries, key: Option<&Secret>) -> Duration {
        let asking = Asking { registries, key, calls: Vec::new() };
        let begun = std::time::Instant::now();
        for _ in 0..6 {
            assert!(asking.take_turn(Registry::PubMed).await);
        }
        begun.elapsed()
    }

    #[tokio::test]
    async fn no_more_than_three_a_second_are_sent_without_a_key_and_ten_with_one() {
        let site = registries(None);
        let (own, other) = (Secret::new("a".repeat(36)), Secret::new("b".repeat(36)));
        let (without, with, beside) = tokio::join!(
            six_turns(&site, None),
            six_turns(&site, Some(&own)),
            six_turns(&site, Some(&other))
        );
        // The first goes at once, the others each a third or a tenth of a second later.
        assert!(without >= Duration::from_millis(1600), "{without:?}");
        assert!(
            with >= Duration::from_millis(480) && beside >= Duration::from_millis(480),
            "{with:?} {beside:?}"
        );
        assert!(
            with < without && beside < without,
            "an org with a key does not wait for those without: {with:?} {beside:?} {without:?}"
        );
    }

    #[tokio::test]
    async fn a_redirect_carries_the_key_nowhere() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listen = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (registry, elsewhere) = (listen().await, listen().await);
        let address = |listener: &tokio::net::TcpListener| {
            format!("http://{}", listener.local_addr().expect("an address"))
        };
        let key = Secret::new("a".repeat(36));
        let config =
            Config { pubmed_url: address(&registry), ncbi_api_key: Some(key.clone()), ..Config::default() };
        let cache = Arc::new(MemoryCache::new(Arc::new(SystemClock)));
        let registries = Registries::new(&config, cache, Arc::new(SystemClock)).expect("a client");
        let asking = Asking { registries: &registries, key: Some(&key), calls: Vec::new() };
        let redirecting = async {
            let (mut stream, _) = registry.accept().await.expect("a question");
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.expect("a request");
            let answer = format!(
                "HTTP/1.1 302 Found\r\nlocation: {}/taken\r\ncontent-length: 0\r\n\r\n",
                address(&elsewhere)
            );
            stream.write_all(answer.as_bytes()).await.expect("an answer");
            String::from_utf8_lossy(&request[..length]).to_lowercase()
        };
        let ((record, _), asked) =
            tokio::join!(asking.request(Registry::PubMed, "esearch.fcgi?db=pubmed"), redirecting);
        assert!(asked.contains(key.expose()) && !asked.contains("referer"), "{asked}");
        assert_eq!(record.status, 302, "what is no answer stays none");
        let followed = tokio::time::timeout(Duration::from_millis(300), elsewhere.accept()).await;
        assert!(followed.is_err(), "the redirect was followed");
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_given_up_while_it_comes() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let pubmed_url = format!("http://{}", listener.local_addr().expect("an address"));
        let cache = Arc::new(MemoryCache::new(Arc::new(SystemClock)));
        let config = Config { pubmed_url, ..Config::default() };
        let registries = Registries::new(&config, cache, Arc::new(SystemClock)).expect("a client");
        let asking = Asking { registries: &registries, key: None, calls: Vec::new() };
        let endless = async {
            let (mut stream, _) = listener.accept().await.expect("a question");
            let _ = stream.read(&mut [0; 4096]).await.expect("a request");
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("a head");
            let (mut sent, part) = (0, vec![b' '; 1 << 16]);
            while sent < 64 << 20 && stream.write_all(&part).await.is_ok() {
                sent += 1 << 16;
            }
            sent
        };
        let (sent, (record, _)) =
            tokio::join!(endless, asking.request(Registry::PubMed, "esearch.fcgi?db=pubmed"));
        assert_eq!((record.status, record.body.len()), (0, 0), "it is no answer");
        assert!(sent < 32 << 20, "{sent} bytes were taken");
    }

    #[test]
    fn a_registry_is_left_alone_as_long_as_it_asks() {
        let headers = |value: &str| {
            [(reqwest::header::RETRY_AFTER, value.parse().expect("a header"))].into_iter().collect()
        };
        assert_eq!(retry_after(&headers("7")), Duration::from_secs(7));
        assert_eq!(retry_after(&headers("86400")), LONGEST_TURN);
        assert_eq!(retry_after(&headers("soon")), Duration::ZERO);
        let (one, seven) = (Duration::from_secs(1), Duration::from_secs(7));
        assert_eq!((pause(one, seven, 0.0), pause(one, Duration::ZERO, 0.0)), (seven, one));
        assert!(pause(one, seven, 0.99) > seven && pause(one, seven, 0.99) < 2 * seven);
    }

    #[test]
    fn a_refusal_that_is_about_something_else_says_nothing_of_the_article() {
        let empty = ["id list is empty", "empty id list"];
        assert!(says(b"Error: ID list is empty! Possibly it has no correct IDs.", &empty));
        assert!(says(b"<ERROR>Empty ID list; Nothing to store</ERROR>", &empty));
        assert!(!says(b"{\"error\":\"API key invalid\"}", &empty));
    }

    #[test]
    fn identifiers_are_escaped_whole() {
        assert_eq!(escaped("\"10.1016/S0140(97)1\"[AID]"), "%2210.1016%2FS0140%2897%291%22%5BAID%5D");
    }
}
