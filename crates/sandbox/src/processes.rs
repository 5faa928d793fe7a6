//! The parent's side: children that are kept warm, given work, watched and killed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use preceptor_runtime::Places;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::child::ARGUMENT;
use crate::frames::{Header, Tag, numbers};
use crate::{Config, Cost, Lane, Place, Progress, Sandbox, SandboxError, Work};

/// Pieces of work that a child does before it is replaced: what one leaves behind in it does not last.
const MOST_WORK: usize = 64;
/// A child that worked on a larger file is not kept: its memory stays as large.
const KEPT_UP_TO: usize = 8 << 20;

/// Children of one binary. Cheap to share; dropping it ends them.
#[derive(Debug)]
pub struct Processes {
    program: PathBuf,
    config: Config,
    places: BTreeMap<Lane, Places<OrgId>>,
    /// Children that wait for work.
    idle: Arc<Mutex<Vec<Running>>>,
}

/// A child that lives.
#[derive(Debug)]
struct Running {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    done: usize,
}

/// How a conversation with a child ended.
enum End {
    /// It is done and can be given more.
    Done(Vec<u8>),
    /// The work has no result, and the child is not trusted with more.
    Failed(SandboxError),
    /// The child was gone before it had the work.
    NotBegun(String),
}

impl Processes {
    /// Children of `program`, which begin when they are needed.
    pub fn new(program: PathBuf, config: Config) -> Self {
        let places = Lane::ALL.into_iter().map(|lane| (lane, Places::new(config.children(lane)))).collect();
        Self { program, config, places, idle: Arc::default() }
    }

    fn start(&self) -> Result<Running, SandboxError> {
        let unavailable =
            |what: &str| SandboxError::Unavailable(format!("{}: {what}", self.program.display()));
        let mut child = Command::new(&self.program)
            .arg(ARGUMENT)
            .arg(self.config.memory().to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a reader says of a file may be what the file says.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unavailable(&error.to_string()))?;
        let (input, output) =
            child.stdin.take().zip(child.stdout.take()).ok_or_else(|| unavailable("it has no pipes"))?;
        Ok(Running { child, input, output, done: 0 })
    }

    fn idle(&self) -> Option<Running> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, running: Running, file: usize) {
        if running.done < MOST_WORK && file <= KEPT_UP_TO {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(running);
        }
    }

    /// Has one child do the work.
    async fn attempt(&self, mut running: Running, lane: Lane, work: &Work<'_>) -> End {
        let talk = running.converse(work, self.config.cpu(lane), self.config.output());
        match tokio::time::timeout(self.config.wall(lane), talk).await {
            Ok(End::Done(result)) => {
                running.done += 1;
                self.keep(running, work.file.len());
                End::Done(result)
            }
            Ok(end) => end,
            // Dropping the child kills it.
            Err(_) => End::Failed(SandboxError::TooCostly(Cost::Time)),
        }
    }
}

#[async_trait]
impl Sandbox for Processes {
    async fn place(&self, lane: Lane, org: OrgId) -> Result<Place, SandboxError> {
        let places = self
            .places
            .get(&lane)
            .ok_or_else(|| SandboxError::Unavailable("there is no such lane".into()))?;
        Ok(Place { lane, _turn: places.take(&org).await })
    }

    async fn run(&self, place: Place, work: Work<'_>) -> Result<Vec<u8>, SandboxError> {
        // A child that waited may have ended meanwhile; a new one must not.
        while let Some(running) = self.idle() {
            match self.attempt(running, place.lane, &work).await {
                End::Done(result) => return Ok(result),
                End::Failed(error) => return Err(error),
                End::NotBegun(_) => {}
            }
        }
        match self.attempt(self.start()?, place.lane, &work).await {
            End::Done(result) => Ok(result),
            End::Failed(error) => Err(error),
            End::NotBegun(why) => Err(SandboxError::Unavailable(format!(
                "{} did not take the work: {why}",
                self.program.display()
            ))),
        }
    }
}

impl Running {
    /// Gives the child the work and listens until it is done or dead.
    async fn converse(&mut self, work: &Work<'_>, cpu_seconds: u64, most: usize) -> End {
        let header = Header {
            kind: work.kind.to_owned(),
            request: work.request.clone(),
            file: work.file.len() as u64,
            cpu_seconds,
        };
        if let Err(why) = self.send(&header, &work.file).await {
            return match self.next(most).await {
                // It stopped listening because there is no memory for the file.
                Some((Tag::TooLarge, _)) => End::Failed(SandboxError::TooCostly(Cost::Memory)),
                _ => End::NotBegun(why),
            };
        }
        let mut begun = false;
        loop {
            match self.next(most).await {
                Some((Tag::Begun, _)) => begun = true,
                Some((Tag::Progress, body)) => tell(work.progress, &body),
                Some((Tag::Done, body)) if body.len() > most => {
                    return End::Failed(SandboxError::TooCostly(Cost::Output));
                }
                Some((Tag::Done, body)) => return End::Done(body),
                Some((Tag::Failed, why)) => {
                    return End::Failed(SandboxError::Failed(String::from_utf8_lossy(&why).into_owned()));
                }
                Some((Tag::TooLarge, _)) => return End::Failed(SandboxError::TooCostly(Cost::Memory)),
                None if begun => return End::Failed(SandboxError::TooCostly(self.cause().await)),
                None => return End::NotBegun("it ended".to_owned()),
            }
        }
    }

    async fn send(&mut self, header: &Header, file: &[u8]) -> Result<(), String> {
        let header = postcard::to_stdvec(header).map_err(|error| error.to_string())?;
        let length = u32::try_from(header.len()).map_err(|error| error.to_string())?;
        let mut message = length.to_le_bytes().to_vec();
        message.extend(header);
        let input = &mut self.input;
        let sent = async {
            input.write_all(&message).await?;
            input.write_all(file).await?;
            input.flush().await
        };
        sent.await.map_err(|error| error.to_string())
    }

    /// The next frame, of which no more is taken than shows that it is larger than `most`; nothing at the child's end.
    async fn next(&mut self, most: usize) -> Option<(Tag, Vec<u8>)> {
        let tag = Tag::of(self.output.read_u8().await.ok()?)?;
        let length = self.output.read_u32_le().await.ok()? as usize;
        let mut body = vec![0; length.min(most.saturating_add(1))];
        self.output.read_exact(&mut body).await.ok()?;
        Some((tag, body))
    }

    /// Why the child died.
    async fn cause(&mut self) -> Cost {
        match self.child.wait().await {
            Ok(status) => cause(status),
            Err(_) => Cost::Memory,
        }
    }
}

#[cfg(unix)]
fn cause(status: ExitStatus) -> Cost {
    use std::os::unix::process::ExitStatusExt as _;

    let by_cpu = rustix::process::Signal::XCPU.as_raw();
    if status.signal() == Some(by_cpu) { Cost::Cpu } else { Cost::Memory }
}

#[cfg(not(unix))]
fn cause(_: ExitStatus) -> Cost {
    Cost::Memory
}

fn tell(progress: Option<Progress<'_>>, body: &[u8]) {
    if let (Some(progress), Some((done, of))) = (progress, numbers(body)) {
        progress(done, of);
    }
}
