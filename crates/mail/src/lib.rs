//! Mail, over SMTP: encrypted, or to a server on this machine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use preceptor_core::{Fault, Kind};

/// How long one delivery may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECTING: Duration = Duration::from_secs(5);

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No mail server is set up.
    #[error("no mail server is set up")]
    NotSetUp,
    /// The mail server refuses the address.
    #[error("the mail server refuses the address")]
    Refused,
    /// The mail server cannot be reached.
    #[error("the mail server is not available: {0}")]
    Unavailable(&'static str),
    /// The message could not be built.
    #[error("the mail could not be written: {0}")]
    Defect(String),
}

impl MailError {
    /// The fault for the one who asked for the mail.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::NotSetUp => Fault::new(
                Kind::FailedPrecondition,
                "MAIL_NOT_SET_UP",
                "this deployment has no mail server; an operator has to set credentials.smtp",
            ),
            Self::Refused => Fault::new(
                Kind::InvalidInput,
                "MAIL_REFUSED",
                "the mail server does not deliver to this address; correct it",
            ),
            Self::Unavailable(cause) => {
                tracing::error!(cause, "mail could not be sent");
                Fault::new(
                    Kind::Unavailable,
                    "MAIL_UNAVAILABLE",
                    "the mail server is not reachable; try again in a moment",
                )
            }
            Self::Defect(cause) => {
                tracing::error!(cause, "mail could not be written");
                Fault::internal()
            }
        }
    }
}

/// Sends mail.
#[async_trait]
pub trait Mail: Send + Sync + fmt::Debug {
    /// Sends a text to one address. `id` stays the same when the same mail is sent again.
    async fn send(&self, id: &str, to: &str, subject: &str, text: String) -> Result<(), MailError>;

    /// Whether there is a server to send through.
    fn is_set_up(&self) -> bool;
}

/// The mail server at `smtp`, sending from the address `from`; none when `smtp` is empty.
pub fn of(smtp: &str, from: &str) -> Result<Arc<dyn Mail>, Unusable> {
    if smtp.is_empty() {
        return Ok(Arc::new(Nowhere));
    }
    let from: Mailbox = from.parse().map_err(|_| Unusable("from is not an address".to_owned()))?;
    Ok(Arc::new(Smtp { transport: transport(smtp)?, from }))
}

/// Whether mail can be addressed to `address`.
pub fn is_address(address: &str) -> bool {
    address.len() <= 254 && address.parse::<lettre::Address>().is_ok()
}

fn transport(url: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, Unusable> {
    let unusable = |what: &str| {
        Unusable(format!("{what}; use smtps://host, smtp+starttls://host, or smtp://127.0.0.1:port"))
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| unusable("is not a URL"))?;
    let (account, place) =
        rest.rsplit_once('@').map_or((None, rest), |(account, place)| (Some(account), place));
    let (host, port) = place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
    let builder = match scheme {
        "smtps" => AsyncSmtpTransport::<Tokio1Executor>::relay(host),
        "smtp+starttls" => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host),
        // Without encryption only where no one can listen.
        "smtp" if host == "127.0.0.1" => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)),
        _ => return Err(unusable("mail leaves this machine encrypted or not at all")),
    };
    let mut builder = builder.map_err(|error| Unusable(error.to_string()))?.timeout(Some(CONNECTING));
    if let Some(port) = port {
        builder = builder.port(port.parse().map_err(|_| unusable("its port is not a number"))?);
    }
    if let Some((user, password)) = account.and_then(|account| account.split_once(':')) {
        builder = builder.credentials(Credentials::new(user.to_owned(), password.to_owned()));
    }
    Ok(builder.build())
}

/// The longest line that mail may have (RFC 5322, 2.1.1).
const LONGEST_LINE: usize = 998;

/// A text as it is sent: as it stands where that is possible, so that no link in it is broken in two.
fn body(text: String) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= LONGEST_LINE) {
        let lines: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
        return Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit);
    }
    Body::new(text)
}

/// No mail server is set up.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Mail for Nowhere {
    async fn send(&self, _id: &str, _to: &str, _subject: &str, _text: String) -> Result<(), MailError> {
        Err(MailError::NotSetUp)
    }

    fn is_set_up(&self) -> bool {
        false
    }
}

struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Smtp")
    }
}

#[async_trait]
impl Mail for Smtp {
    async fn send(&self, id: &str, to: &str, subject: &str, text: String) -> Result<(), MailError> {
        let to: Mailbox = to.parse().map_err(|_| MailError::Refused)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(body(text))
            .map_err(|error| MailError::Defect(error.to_string()))?;
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            // The server's words may hold the address: only their kind is kept.
            Ok(Err(error)) if error.is_permanent() => Err(MailError::Refused),
            Ok(Err(error)) => Err(MailError::Unavailable(if error.is_timeout() {
                "timeout"
            } else {
                "refused or unreachable"
            })),
            Err(_) => Err(MailError::Unavailable("timeout")),
        }
    }

    fn is_set_up(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_leaves_the_machine_encrypted_or_not_at_all() {
        let of_url = |smtp: &str| of(smtp, "Preceptor <no-reply@preceptor.invalid>");
        for usable in [
            "",
            "smtp://127.0.0.1:2525",
            "smtps://mail.example.org",
            "smtp+starttls://user:pass@mail.example.org:587",
        ] {
            assert!(of_url(usable).is_ok(), "{usable}");
        }
        for unusable in
            ["smtp://mail.example.org", "mail.example.org", "http://mail.example.org", "smtp://127.0.0.1:x"]
        {
            assert!(of_url(unusable).is_err(), "{unusable}");
        }
    }

    #[test]
    fn a_link_is_not_broken_in_two() {
        let link = format!("https://learn.example.org/sign-in#pk_link_{}", "x".repeat(60));
        let sent = body(format!("Open this link:\n\n{link}\n"));
        assert!(String::from_utf8_lossy(sent.as_ref()).contains(&link));
        assert_eq!(body("Álvarez".to_owned()).encoding(), ContentTransferEncoding::QuotedPrintable);
    }

    #[test]
    fn an_address_holds_one_person() {
        assert!(is_address("ada@example.org"));
        for wrong in [
            "",
            "ada",
            "ada@",
            "a@b.org, c@d.org",
            "Ada <ada@example.org>",
            "ada@example.org\r\nbcc: x@y.org",
        ] {
            assert!(!is_address(wrong), "{wrong:?}");
        }
    }
}
