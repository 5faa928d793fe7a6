//! The child's side: it takes work from its parent until there is none, under limits that it cannot lift again.

use std::io::{self, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::frames::{Header, LARGEST_HEADER, Tag, progress};

/// The first argument of a child; the second is the address space that it may have, in bytes.
pub(crate) const ARGUMENT: &str = "worker";
/// File descriptors of a child: the three that it is born with.
const DESCRIPTORS: u64 = 3;
/// How far a child stands behind the others at the cores.
const NICENESS: i32 = 10;
/// The stack of the thread that watches the parent.
const SMALL_STACK: usize = 64 << 10;

/// Whether this binary can be its own child: it called [`run_if_asked`].
static CAN_BE_ONE: AtomicBool = AtomicBool::new(false);

/// Does a piece of work: what is asked, what is needed to know, the file, and who is told how far it is.
pub type Dispatch = fn(&str, &[u8], Bytes, &mut dyn FnMut(u64, u64)) -> Result<Vec<u8>, String>;

pub(crate) fn can_be_one() -> bool {
    CAN_BE_ONE.load(Ordering::Relaxed)
}

/// Does the work of a child when this process was started as one, and says with what the process ends. A binary calls it
/// before anything else: before it has threads, files or a runtime.
pub fn run_if_asked(dispatch: Dispatch) -> Option<ExitCode> {
    CAN_BE_ONE.store(true, Ordering::Relaxed);
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ARGUMENT) {
        return None;
    }
    let memory = arguments.next().and_then(|bytes| bytes.parse().ok());
    let Some(memory) = memory else {
        eprintln!(
            "`{ARGUMENT}` is how this program starts itself to read files; there is nothing to call by hand"
        );
        return Some(ExitCode::FAILURE);
    };
    let served = limit(memory).and_then(|()| serve(dispatch));
    // A parent that is gone is no failure: it is how the work ends.
    Some(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes away what the work does not need.
fn limit(memory: u64) -> io::Result<()> {
    watch_parent()?;
    lower(Resource::As, memory)?;
    lower(Resource::Core, 0)?;
    lower(Resource::Fsize, 0)?;
    // Without another descriptor there is no file and no connection.
    lower(Resource::Nofile, DESCRIPTORS)?;
    // Where that is refused, the others only lose a little.
    let _ = nice(NICENESS);
    Ok(())
}

fn lower(resource: Resource, most: u64) -> io::Result<()> {
    let hard = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
    Ok(setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) })?)
}

/// CPU seconds of the work at hand, on top of what this child had before.
fn limit_cpu(seconds: u64) -> io::Result<()> {
    let had = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let hard = getrlimit(Resource::Cpu).maximum;
    let most = had.saturating_add(seconds).saturating_add(1);
    Ok(setrlimit(
        Resource::Cpu,
        Rlimit { current: Some(hard.map_or(most, |hard| hard.min(most))), maximum: hard },
    )?)
}

/// Ends this process when no one listens to it any more, whatever it is doing.
fn watch_parent() -> io::Result<()> {
    let watch = || {
        let stdout = io::stdout();
        loop {
            let mut listened = [PollFd::new(&stdout, PollFlags::empty())];
            // Nothing is waited for but the end of the reader, which is always reported.
            if poll(&mut listened, None).is_ok() && !listened[0].revents().is_empty() {
                std::process::exit(1);
            }
        }
    };
    thread::Builder::new().name("parent".to_owned()).stack_size(SMALL_STACK).spawn(watch).map(drop)
}

fn serve(dispatch: Dispatch) -> io::Result<()> {
    let mut input = io::stdin().lock();
    loop {
        let mut length = [0; 4];
        match input.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > LARGEST_HEADER {
            return Err(io::Error::other("a header that no parent sends"));
        }
        let header = take(&mut input, length as u64)?;
        let header: Header = postcard::from_bytes(&header).map_err(io::Error::other)?;
        let Ok(file) = take(&mut input, header.file) else {
            return say(Tag::TooLarge, &[]);
        };
        say(Tag::Begun, &[])?;
        limit_cpu(header.cpu_seconds)?;
        work(dispatch, &header, file.into())?;
    }
}

/// Reads so many bytes; fails, and does not die, where there is no memory for them.
fn take(input: &mut impl io::Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length).map_err(io::Error::other)?).map_err(io::Error::other)?;
    input.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn work(dispatch: Dispatch, header: &Header, file: Bytes) -> io::Result<()> {
    let mut told = |done, of| {
        // No one listens: the thread that watches will end this process.
        let _ = say(Tag::Progress, &progress(done, of));
    };
    let done = catch_unwind(AssertUnwindSafe(|| dispatch(&header.kind, &header.request, file, &mut told)));
    match done {
        Ok(Ok(result)) => say(Tag::Done, &result),
        Ok(Err(problem)) => say(Tag::Failed, problem.as_bytes()),
        // What a panic says may hold text of the file.
        Err(_) => say(Tag::Failed, b"it panicked"),
    }
}

fn say(tag: Tag, body: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    out.write_all(&[tag as u8])?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(body)?;
    out.flush()
}
