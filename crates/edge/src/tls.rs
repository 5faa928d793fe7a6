//! TLS in the process: version 1.3, with a certificate that is read again when it is renewed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
pub(crate) const RENEWAL: Duration = Duration::from_secs(60);

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The certificate with its chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct TlsError {
    file: PathBuf,
    problem: String,
}

/// The certificate in use.
#[derive(Debug)]
pub struct Tls {
    files: Files,
    current: RwLock<(Arc<CertifiedKey>, Option<SystemTime>)>,
}

impl Tls {
    /// Reads the files.
    pub fn load(files: Files) -> Result<Arc<Self>, TlsError> {
        let current = RwLock::new((Arc::new(read(&files)?), changed(&files)));
        Ok(Arc::new(Self { files, current }))
    }

    /// What accepts connections. TLS 1.3 only: no client that this platform serves needs less.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let wrong = |error: rustls::Error| TlsError {
            file: self.files.certificate.clone(),
            problem: error.to_string(),
        };
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(wrong)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Takes up a renewed certificate. What cannot be read leaves the one in use as it is.
    pub(crate) fn renew(&self) {
        let seen = changed(&self.files);
        if seen == self.current.read().unwrap_or_else(PoisonError::into_inner).1 {
            return;
        }
        match read(&self.files) {
            Ok(key) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(key), seen);
                tracing::info!(file = %self.files.certificate.display(), "a renewed certificate is in use");
            }
            Err(error) => {
                tracing::error!(%error, "the renewed certificate cannot be used; the old one stays");
            }
        }
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).0))
    }
}

/// When one of the files changed last.
fn changed(files: &Files) -> Option<SystemTime> {
    let at = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    at(&files.certificate).max(at(&files.key))
}

fn read(files: &Files) -> Result<CertifiedKey, TlsError> {
    let wrong = |file: &Path, problem: String| TlsError { file: file.to_owned(), problem };
    let text = |file: &Path| fs::read(file).map_err(|error: io::Error| wrong(file, error.to_string()));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text(&files.certificate)?)
        .map(|item| item.map(CertificateDer::into_owned))
        .collect();
    let chain = chain.map_err(|error| wrong(&files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(&files.certificate, "holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&text(&files.key)?)
        .map_err(|error| wrong(&files.key, error.to_string()))?;
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
    certified.map_err(|error| wrong(&files.key, error.to_string()))
}
