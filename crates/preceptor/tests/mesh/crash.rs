//! The process is killed while it reads, publishes and answers; then it starts again.

mod awards;
mod process;
mod reading;

use std::time::Duration;

use preceptor::client::{Client, id};

use process::Program;

use crate::support::{Log, WARFARIN, eventually, markdown};

/// Moments after which the process is killed, in milliseconds: while a file is read, indexed, or asked about.
const MOMENTS: [u64; 8] = [0, 5, 15, 30, 60, 100, 180, 300];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_is_half_published() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::new(folder.path(), Vec::new());
    let mut acknowledged = Vec::new();
    let mut asked: Vec<(String, String)> = Vec::new();
    for (round, moment) in MOMENTS.into_iter().enumerate() {
        let process = program.start();
        let admin = program.admin().await;
        all_is_whole(&admin, &acknowledged, &asked).await;
        // A disk that is busy with what other tests wrote may make the service ask to try again; then one does.
        let reviewer = eventually("a reviewer", async || admin.hire("reviewer", "reviewer").await.ok()).await;
        // Work goes on until the process dies under it; what was answered by then is acknowledged.
        let work = async {
            let text = WARFARIN.repeat(20 + round);
            let program = preceptor_testkit::local::publish(
                &admin,
                &reviewer,
                &format!("Round {round}"),
                &[],
                vec![markdown("w.md", &text)],
            )
            .await
            .ok()?;
            acknowledged.push(program.clone());
            loop {
                let answer =
                    admin.ask(&program, "What is the usual starting dose of warfarin?").await.ok()?;
                asked.push((program.clone(), id(&answer, "message_id").ok()?));
            }
            #[expect(unreachable_code, reason = "gives the block its type")]
            Some(())
        };
        let kill = async {
            tokio::time::sleep(Duration::from_millis(moment * 4)).await;
            drop(process);
        };
        tokio::join!(work, kill);
    }
    let _process = program.start();
    let admin = program.admin().await;
    all_is_whole(&admin, &acknowledged, &asked).await;
    assert!(!asked.is_empty(), "the last rounds are long enough to ask");
}

/// Every acknowledged publication answers, every acknowledged message is on record, every other program either is
/// published whole or not at all, and the log verifies.
async fn all_is_whole(admin: &Client, acknowledged: &[String], asked: &[(String, String)]) {
    for (_, message) in asked {
        eventually("an acknowledged message, on record", async || {
            admin.get(&format!("/v1/messages/{message}")).await.ok()
        })
        .await;
    }
    for program in eventually("the programs", async || admin.all("/v1/programs").await.ok()).await {
        let program = id(&program, "id").expect("an id");
        let settled = eventually("the end of an interrupted publication", async || {
            let state = admin.get(&format!("/v1/programs/{program}")).await.ok()?;
            (state["state"] != "indexing" && state["sources"]["extracting"] == 0).then_some(state)
        })
        .await;
        let published = settled["state"] == "published";
        assert!(published || !acknowledged.contains(&program), "an acknowledged publication is there");
        // An index that the kill broke is made anew from the text; until then no one is answered wrongly.
        let answer = eventually("the index", async || {
            let answer = admin.ask(&program, "What is the usual starting dose of warfarin?").await;
            let rebuilding =
                answer.as_ref().is_err_and(|error| error.to_string().contains("INDEX_NOT_READY"));
            (!rebuilding).then_some(answer)
        })
        .await;
        assert_eq!(answer.is_ok(), published, "{program} answers if and only if it is published: {answer:?}");
        if let Ok(answer) = answer {
            assert!(answer["considered"].as_i64() > Some(0), "{program} is published whole");
        }
    }
    Log::read(admin).await.verify().expect("the log verifies");
}
