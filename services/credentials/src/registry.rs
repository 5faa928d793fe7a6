//! The registry of national provider identifiers (NPPES, API 2.1).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::config::{Config, Unusable};
use crate::error::Error;

/// How long one question may take, and the pauses between tries.
const PATIENCE: Duration = Duration::from_secs(8);
const PAUSES: [Duration; 2] = [Duration::from_millis(400), Duration::from_secs(2)];
/// An answer is smaller than this.
const LARGEST_ANSWER: usize = 1 << 20;

/// What the registry knows of a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) active: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) licenses: Vec<License>,
    /// SHA-256 of the answer, byte for byte.
    pub(crate) sha256: String,
}

/// What someone practices, and the license they gave for it: empty when they gave none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct License {
    #[serde(default, rename = "code")]
    pub(crate) taxonomy: String,
    #[serde(default, rename = "license", deserialize_with = "or_empty")]
    pub(crate) number: String,
}

fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Looks numbers up.
#[async_trait]
pub(crate) trait NpiRegistry: Send + Sync + fmt::Debug {
    /// The entry of a number; `None` when the registry knows none.
    async fn look_up(&self, npi: &str) -> Result<Option<Entry>, Error>;
}

/// The registry that the settings name.
pub(crate) fn of(config: &Config) -> Result<Option<Arc<dyn NpiRegistry>>, Unusable> {
    if config.npi_registry.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Nppes::new(config.npi_registry.clone())?)))
}

#[derive(Debug)]
struct Nppes {
    http: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "Errors")]
    errors: Vec<Refusal>,
    #[serde(default)]
    results: Vec<Found>,
    result_count: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    number: String,
}

/// "CMS deactivated NPI": an answer about the number, unlike every other refusal.
const DEACTIVATED: &str = "15";

#[derive(Deserialize)]
struct Found {
    basic: Basic,
    #[serde(default)]
    taxonomies: Vec<License>,
}

#[derive(Deserialize)]
struct Basic {
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    status: String,
}

#[async_trait]
impl NpiRegistry for Nppes {
    async fn look_up(&self, npi: &str) -> Result<Option<Entry>, Error> {
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.ask(npi).await {
                Err(error) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause + pause.mul_f64(rand::random::<f64>())).await,
                    None => return Err(error),
                },
                found => return found,
            }
        }
    }
}

impl Nppes {
    fn new(url: String) -> Result<Self, Unusable> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            // Whom the settings name is asked about a person, and no one else.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .build();
        Ok(Self { http: http.map_err(|error| Unusable(error.to_string()))?, url })
    }

    async fn ask(&self, npi: &str) -> Result<Option<Entry>, Error> {
        let unavailable = |cause: &dyn fmt::Display| Error::RegistryUnavailable(cause.to_string());
        // Ten digits need no escaping.
        let request = self.http.get(format!("{}?version=2.1&number={npi}", self.url));
        let response = request.send().await.map_err(|error| unavailable(&error.without_url()))?;
        if !response.status().is_success() {
            return Err(unavailable(&response.status()));
        }
        read(&bounded(response).await?)
    }
}

/// The body of an answer, which is given up as soon as it is larger than any answer is.
async fn bounded(mut response: reqwest::Response) -> Result<Vec<u8>, Error> {
    let unavailable = |cause: &dyn fmt::Display| Error::RegistryUnavailable(cause.to_string());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unavailable(&error.without_url()))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(unavailable(&"the answer is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads an answer. Errors come with status 200, as `{"Errors": [...]}`.
fn read(body: &[u8]) -> Result<Option<Entry>, Error> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| Error::RegistryUnavailable("the answer is not JSON".into()))?;
    if answer.errors.iter().any(|refusal| refusal.number == DEACTIVATED) {
        return Ok(Some(Entry { sha256: hex::encode(Sha256::digest(body)), ..Entry::default() }));
    }
    if !answer.errors.is_empty() || answer.result_count.is_none() {
        return Err(Error::RegistryUnavailable("the registry answered with an error".into()));
    }
    Ok(answer.results.into_iter().next().map(|found| Entry {
        active: found.basic.status == "A",
        first_name: found.basic.first_name,
        last_name: found.basic.last_name,
        licenses: found.taxonomies,
        sha256: hex::encode(Sha256::digest(body)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_without_an_end_is_given_up_while_it_comes() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let registry = Nppes::new(url).expect("a client");
        let endless = async {
            let (mut stream, _) = listener.accept().await.expect("a question");
            let _ = stream.read(&mut [0; 1024]).await.expect("a request");
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("a head");
            let (mut sent, part) = (0, vec![b' '; 1 << 16]);
            while sent < 64 << 20 && stream.write_all(&part).await.is_ok() {
                sent += 1 << 16;
            }
            sent
        };
        let (sent, answer) = tokio::join!(endless, registry.ask("1234567893"));
        assert!(matches!(answer, Err(Error::RegistryUnavailable(_))));
        assert!(sent < 32 << 20, "{sent} bytes were taken");
    }

    #[tokio::test]
    async fn a_redirect_carries_the_number_nowhere() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listen = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (asked, elsewhere) = (listen().await, listen().await);
        let address = |listener: &tokio::net::TcpListener| {
            format!("http://{}/", listener.local_addr().expect("an address"))
        };
        let registry = Nppes::new(address(&asked)).expect("a client");
        let redirecting = async {
            let (mut stream, _) = asked.accept().await.expect("a question");
            let _ = stream.read(&mut [0; 1024]).await.expect("a request");
            let to = address(&elsewhere);
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        };
        let followed =
            async { tokio::time::timeout(Duration::from_millis(300), elsewhere.accept()).await.is_ok() };
        let ((), answer, followed) = tokio::join!(redirecting, registry.ask("1234567893"), followed);
        assert!(!followed, "the redirect was followed");
        assert!(matches!(answer, Err(Error::RegistryUnavailable(_))), "what is no answer stays none");
    }

    #[test]
    fn answers_are_read_and_errors_with_status_200_are_errors() {
        let found = read(
            br#"{"result_count":1,"results":[{"number":"1234567893","basic":{"first_name":"ADA","last_name":"LOVELACE","status":"A"},
                "taxonomies":[{"code":"207R00000X","license":"MD12345","state":"CA","primary":true},{"license":null}]}]}"#,
        );
        let entry = found.expect("an answer").expect("an entry");
        assert!(entry.active);
        let license =
            |taxonomy: &str, number: &str| License { taxonomy: taxonomy.into(), number: number.into() };
        assert_eq!(entry.licenses, [license("207R00000X", "MD12345"), license("", "")]);
        assert_eq!(read(br#"{"result_count":0,"results":[]}"#).expect("an answer"), None);
        assert!(
            read(br#"{"Errors":[{"description":"Wildcards require at least two leading characters"}]}"#)
                .is_err()
        );
        assert!(read(b"<html>").is_err());
        let deactivated = br#"{"Errors":[{"description":"CMS deactivated NPI 1234567893. The provider can no longer use this NPI.","field":"number","number":"15"}]}"#;
        assert!(!read(deactivated).expect("an answer").expect("an entry").active);
    }
}
