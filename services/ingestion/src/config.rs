//! Settings of ingestion.

use std::time::Duration;

use preceptor_core::Secret;
use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize, Serializer};

use preceptor_extract::Limits;

/// Settings of ingestion.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The largest file that is taken, in MiB.
    pub largest_file_mib: u64,
    /// The most that the files of one org may take, in MiB.
    pub org_storage_mib: u64,
    /// The most that an archive may unpack to, in MiB.
    pub largest_unpacked_mib: u64,
    /// The most text that a file may hold, in MiB.
    pub largest_text_mib: u64,
    /// The most pages or slides of a file.
    pub most_pages: usize,
    /// NCBI's E-utilities.
    pub pubmed_url: String,
    /// Crossref's REST API.
    pub crossref_url: String,
    /// The address that registries write to when something is wrong; NCBI wants it registered.
    pub registry_contact: String,
    /// NCBI's key: ten requests a second with it, three without.
    #[serde(serialize_with = "redacted")]
    pub ncbi_api_key: Option<Secret>,
    /// Seconds between two looks at the same article.
    pub recheck_seconds: u64,
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn redacted<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_str("[redacted]"),
        None => serializer.serialize_none(),
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            largest_file_mib: 100,
            org_storage_mib: 50 << 10,
            largest_unpacked_mib: 400,
            largest_text_mib: 20,
            most_pages: 2000,
            pubmed_url: "https://eutils.ncbi.nlm.nih.gov/entrez/eutils".to_owned(),
            crossref_url: "https://api.crossref.org".to_owned(),
            registry_contact: "operator@preceptor.invalid".to_owned(),
            ncbi_api_key: None,
            recheck_seconds: 24 * 3600,
        }
    }
}

impl Config {
    /// How long until the same article is looked at again.
    pub(crate) fn recheck_every(&self) -> Duration {
        Duration::from_secs(self.recheck_seconds)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            file_bytes: self.largest_file_mib << 20,
            unpacked_bytes: self.largest_unpacked_mib << 20,
            text_bytes: (self.largest_text_mib as usize) << 20,
            pages: self.most_pages,
        }
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut bounded = |name: &str, value: u64, most: u64| {
            if value == 0 || value > most {
                problems.push(Problem::at(format!("{path}.{name}"), format!("must be between 1 and {most}")));
            }
        };
        bounded("largest_file_mib", self.largest_file_mib, 1024);
        bounded("org_storage_mib", self.org_storage_mib, 1 << 30);
        bounded("largest_unpacked_mib", self.largest_unpacked_mib, 4096);
        bounded("largest_text_mib", self.largest_text_mib, 200);
        bounded("most_pages", self.most_pages as u64, 20_000);
        bounded("recheck_seconds", self.recheck_seconds, 30 * 24 * 3600);
        for (name, url) in [("pubmed_url", &self.pubmed_url), ("crossref_url", &self.crossref_url)] {
            if !url.starts_with("https://") && !url.starts_with("http://127.0.0.1:") {
                problems.push(Problem::at(format!("{path}.{name}"), "must be an https URL"));
            }
        }
        if !self.registry_contact.contains('@') {
            problems.push(Problem::at(
                format!("{path}.registry_contact"),
                "must be an address that someone reads",
            ));
        }
    }
}
