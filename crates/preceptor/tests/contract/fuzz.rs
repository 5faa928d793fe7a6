//! schemathesis: whatever fits the document, and what does not, as an admin, as a learner and as no one.

use std::path::Path;
use std::process::Command;

use preceptor_testkit::local::DOSES;
use preceptor_testkit::{Local, tools};

use crate::support::succeeds;

/// The same requests on every run.
const SEED: &str = "7";
/// How long each of the three may take, in seconds. They run at the same time.
const TIME: &str = "28";
/// Beyond that, something hangs.
const MOST: u64 = 240;
/// Rules that no schema can state, so that what fits the document may be refused with 400 all the same.
const BEYOND_SCHEMAS: [(&str, &str); 16] = [
    ("POST /v1/accreditations", "it ends after it begins; names are of one script"),
    ("POST /v1/programs", "a title has a letter, and no word of it mixes scripts"),
    ("PATCH /v1/programs/{id}", "a title has a letter, and no word of it mixes scripts"),
    ("PUT /v1/programs/{id}/objectives", "signs beyond U+FFFF that are of no script"),
    ("POST /v1/me/email-verification", "a code is the one that was mailed"),
    ("POST /v1/programs/{id}/sources", "the bytes are a file of a kind that can be read"),
    ("POST /v1/programs/{id}/items", "no two options say the same"),
    ("POST /v1/programs/{id}/offers", "it ends after it begins; lines can be printed"),
    ("POST /v1/programs/{id}/messages", "a session is of this program and this learner"),
    ("POST /v1/orgs", "names are of one script"),
    ("POST /v1/staff", "names are of one script"),
    ("PATCH /v1/staff/{id}", "names are of one script"),
    ("POST /v1/staff/invitations", "names are of one script"),
    ("POST /v1/credentials", "names are of one script"),
    ("POST /v1/sign-in-links", "a token is one of a learner"),
    ("PUT /v1/me/clinician", "names are of one script; the last digit of an NPI checks the others"),
];

/// What the tool takes for a failure: no failure of ours, nothing that the document does not have, nothing in another
/// shape than it says, nothing that a stranger may do, and no refusal of what fits, but for the state of a resource
/// (412), a key that was used before (422), and [`BEYOND_SCHEMAS`]. A cursor is signed: no one makes one up.
fn settings() -> String {
    let accepted = r#""2xx", "3xx", "401", "403", "404", "409", "412", "422", "429""#;
    let exceptions: String = BEYOND_SCHEMAS
        .iter()
        .map(|(operation, why)| {
            format!(
                "\n# {why}\n[[operations]]\ninclude-name = \"{operation}\"\n\
                 checks = {{ positive_data_acceptance = {{ expected-statuses = [{accepted}, \"400\"] }} }}\n"
            )
        })
        .collect();
    format!(
        "[checks.positive_data_acceptance]\nexpected-statuses = [{accepted}]\n\n\
         [checks.missing_required_header]\nexpected-statuses = [\"400\", \"401\", \"403\", \"404\", \"415\", \"422\", \"428\"]\n\n\
         [parameters]\n\"query.cursor\" = \"\"\n{exceptions}"
    )
}

fn run(program: &Path, url: &str, token: Option<&str>) -> Command {
    let folder = tempfile::tempdir().expect("a folder").keep();
    std::fs::write(folder.join("schemathesis.toml"), settings()).expect("settings");
    let mut command = Command::new(program);
    command.current_dir(&folder).env("NO_COLOR", "1").arg("run").arg(format!("{url}/openapi.json"));
    command.args(["--seed", SEED, "--max-time", TIME, "--checks", "all"]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure", "--no-shrink"]);
    command.args(["--suppress-health-check", "all", "--request-timeout", "20", "--workers", "1"]);
    if let Some(token) = token {
        command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    }
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fuzzer_finds_nothing_that_the_document_does_not_say() {
    let Some(program) = tools::tool("contract::fuzz", "python", "st") else { return };
    let local = Local::start(None).await.expect("a mesh");
    let file = preceptor::client::Upload {
        name: "doses.md".to_owned(),
        content: DOSES.as_bytes().to_vec(),
        ..Default::default()
    };
    let program_id = local.publish("Doses", &["Name the usual doses"], vec![file]).await.expect("a program");
    let learner = local.learner(&program_id, "fuzzed").await.expect("a learner");
    // An admin may revoke every credential of the org, the own one included: someone else sees how it ends.
    let (witness, _) = local.other_org("Witness").await.expect("an org");
    let tokens = [Some(local.editor.token()), Some(learner.token()), None];
    let runs = tokens.map(|token| succeeds(run(&program, &local.url, token), MOST));
    futures::future::join_all(runs).await;
    assert!(witness.get("/v1/programs").await.is_ok(), "it still serves");
    local.stop().await;
}
