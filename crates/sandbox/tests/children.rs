//! Children fail alone, by name, and leave nothing behind.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use preceptor_core::id::OrgId;
use preceptor_sandbox::{Config, Cost, Lane, Processes, Sandbox as _, SandboxError, Work};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// The example of this crate, which `cargo test` builds beside its tests.
fn example() -> PathBuf {
    let own = std::env::current_exe().expect("this test");
    let folder = own.parent().and_then(|deps| deps.parent()).expect("the folder of binaries");
    folder.join("examples").join("sandbox_child")
}

fn processes(change: impl FnOnce(&mut Config)) -> Processes {
    let mut config = Config { memory_mib: 256, cpu_seconds: 2, wall_seconds: 120, ..Config::default() };
    change(&mut config);
    Processes::new(example(), config)
}

fn work(kind: &'static str) -> Work<'static> {
    Work { kind, request: b"the request".to_vec(), file: Bytes::from_static(b"abc"), progress: None }
}

/// Has work done on behalf of someone.
async fn run(processes: &Processes, work: Work<'_>) -> Result<Vec<u8>, SandboxError> {
    let place = processes.place(Lane::Read, OrgId::generate()).await?;
    processes.run(place, work).await
}

async fn text(processes: &Processes, kind: &'static str) -> String {
    String::from_utf8(run(processes, work(kind)).await.expect("a result")).expect("text")
}

async fn process(processes: &Processes) -> Pid {
    Pid::from_raw(text(processes, "process").await.parse().expect("a number")).expect("a process")
}

#[tokio::test]
async fn work_is_done_and_tells_how_far_it_is() {
    let told = Mutex::new(Vec::new());
    let progress = |done, of| told.lock().expect("a lock").push((done, of));
    let done = run(&processes(|_| {}), Work { progress: Some(&progress), ..work("reverse") }).await;
    assert_eq!(done, Ok(b"cba".to_vec()));
    assert_eq!(*told.lock().expect("a lock"), [(1, 2)]);
}

#[tokio::test]
async fn a_large_file_goes_in_and_comes_out() {
    let file: Vec<u8> = (0..20_u32 << 20).map(|number| (number % 251) as u8).collect();
    let done = run(&processes(|_| {}), Work { file: file.clone().into(), ..work("reverse") })
        .await
        .expect("a result");
    assert!(done.iter().rev().eq(file.iter()));
}

#[tokio::test]
async fn whatever_costs_too_much_fails_by_name_and_the_next_is_done() {
    let processes = processes(|_| {});
    assert_eq!(run(&processes, work("fill")).await, Err(SandboxError::TooCostly(Cost::Memory)));
    assert_eq!(run(&processes, work("spin")).await, Err(SandboxError::TooCostly(Cost::Cpu)));
    assert_eq!(run(&processes, work("large")).await, Err(SandboxError::TooCostly(Cost::Output)));
    assert_eq!(run(&processes, work("panic")).await, Err(SandboxError::Failed("it panicked".into())));
    assert_eq!(run(&processes, work("refuse")).await, Err(SandboxError::Failed("the request".into())));
    let file = Bytes::from(vec![0; 300 << 20]);
    assert_eq!(
        run(&processes, Work { file, ..work("reverse") }).await,
        Err(SandboxError::TooCostly(Cost::Memory))
    );
    assert_eq!(text(&processes, "reverse").await, "cba");
}

#[tokio::test]
async fn work_that_waits_for_ever_is_killed() {
    let processes = processes(|config| config.wall_seconds = 1);
    assert_eq!(run(&processes, work("sleep")).await, Err(SandboxError::TooCostly(Cost::Time)));
}

#[tokio::test]
async fn a_child_has_no_files_no_connections_and_no_environment() {
    let processes = processes(|_| {});
    assert_eq!(text(&processes, "open").await, "refused");
    assert_eq!(text(&processes, "connect").await, "refused");
    assert_eq!(text(&processes, "environment").await, "0");
}

#[tokio::test]
async fn a_child_is_kept_while_it_does_well_and_given_up_when_not() {
    let processes = processes(|_| {});
    let first = process(&processes).await;
    assert_eq!(process(&processes).await, first);
    assert!(run(&processes, work("refuse")).await.is_err());
    assert_ne!(process(&processes).await, first);
}

#[tokio::test]
async fn a_child_that_was_killed_while_it_waited_costs_no_one_anything() {
    let processes = processes(|_| {});
    kill_process(process(&processes).await, Signal::KILL).expect("it lives");
    assert_eq!(text(&processes, "reverse").await, "cba");
}

#[tokio::test]
async fn anyone_who_stops_waiting_ends_the_work() {
    let processes = processes(|_| {});
    let child = process(&processes).await;
    assert!(tokio::time::timeout(Duration::from_millis(300), run(&processes, work("sleep"))).await.is_err());
    for _ in 0..200 {
        if test_kill_process(child).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the child lives on");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_no_fault_of_the_work() {
    let processes = Processes::new("/nowhere/preceptor".into(), Config::default());
    assert!(matches!(run(&processes, work("reverse")).await, Err(SandboxError::Unavailable(_))));
}
