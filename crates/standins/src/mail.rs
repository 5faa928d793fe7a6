//! A mail server that keeps what it gets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_runtime::tasks::Tasks;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong with the next mails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// The recipient is refused for good (550).
    Refuses,
    /// The server has no time now (451).
    IsBusy,
}

#[derive(Debug, Default)]
struct Kept {
    mails: Vec<String>,
    trouble: Trouble,
}

/// A mail server on this machine. It stops when it is dropped.
#[derive(Debug)]
pub struct MailCatcher {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    server: Tasks,
}

impl Drop for MailCatcher {
    fn drop(&mut self) {
        self.server.cancel();
    }
}

fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MailCatcher {
    /// Starts on a free port.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_telling(|_| {}).await
    }

    /// The same, and tells of every mail that comes.
    pub async fn start_telling(tell: impl Fn(&str) + Send + Sync + 'static) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let shared = Arc::clone(&kept);
        let server = Tasks::standalone("mail catcher");
        let stop = server.stop_signal();
        server.spawn_once("smtp", async move {
            let accepting = async {
                while let Ok((stream, _)) = listener.accept().await {
                    // One client at a time is enough, and leaves nothing behind when the server stops.
                    let _ = serve(stream, &shared, &tell).await;
                }
            };
            tokio::select! {
                () = accepting => {}
                () = stop.requested() => {}
            }
        });
        Ok(Self { address, kept, server })
    }

    /// The URL for the setting `credentials.smtp`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Everything that came, oldest first, as it was sent.
    pub fn mails(&self) -> Vec<String> {
        lock(&self.kept).mails.clone()
    }

    /// The newest code that was sent to an address: two groups of four digits.
    pub fn newest_code(&self, to: &str) -> Option<String> {
        let mails = self.mails();
        let mail = mails.iter().rev().find(|mail| mail.contains(to) && mail.contains("Your code is "))?;
        let after = mail.split("Your code is ").nth(1)?;
        let digits: String = after
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == ' ')
            .filter(char::is_ascii_digit)
            .collect();
        (digits.len() == 8).then_some(digits)
    }

    /// The newest link that was sent to an address.
    pub fn newest_link(&self, to: &str) -> Option<String> {
        let mails = self.mails();
        let mail = mails.iter().rev().find(|mail| mail.contains(to))?;
        // A text with other letters than those of ASCII comes in lines that go on behind a sign.
        let whole = mail.replace("=\r\n", "");
        whole.lines().map(str::trim).find(|line| line.starts_with("http")).map(str::to_owned)
    }

    /// What goes wrong from now on.
    pub fn set_trouble(&self, trouble: Trouble) {
        lock(&self.kept).trouble = trouble;
    }
}

async fn serve(stream: TcpStream, kept: &Mutex<Kept>, tell: &(impl Fn(&str) + Sync)) -> std::io::Result<()> {
    let mut stream = BufStream::new(stream);
    let mut line = String::new();
    reply(&mut stream, "220 catcher ESMTP").await?;
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let trouble = lock(kept).trouble;
        match (verb.as_str(), trouble) {
            ("EHLO", _) => reply(&mut stream, "250-catcher\r\n250 8BITMIME").await?,
            ("RCPT", Trouble::Refuses) => reply(&mut stream, "550 no such mailbox").await?,
            ("RCPT", Trouble::IsBusy) => reply(&mut stream, "451 try again later").await?,
            ("DATA", _) => {
                reply(&mut stream, "354 go on").await?;
                let Some(mail) = content(&mut stream).await? else { return Ok(()) };
                tell(&mail);
                lock(kept).mails.push(mail);
                reply(&mut stream, "250 kept").await?;
            }
            ("QUIT", _) => return reply(&mut stream, "221 bye").await,
            _ => reply(&mut stream, "250 ok").await?,
        }
    }
}

async fn reply(stream: &mut BufStream<TcpStream>, line: &str) -> std::io::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    stream.flush().await
}

/// The content of a mail, up to the line with a single dot. Nothing when the client went away.
async fn content(stream: &mut BufStream<TcpStream>) -> std::io::Result<Option<String>> {
    let mut mail = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line.trim_end() == "." {
            return Ok(Some(mail));
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
