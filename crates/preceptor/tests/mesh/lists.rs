//! What a list costs does not depend on how much it shows: a fixed number of statements and of calls of the key engine.

use std::collections::BTreeSet;
use std::ops::Range;

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, physician};
use preceptor_runtime::tally::{self, Cost};
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use crate::credits::{DOSES, clinician, course};
use crate::support::{list, markdown};

preceptor_testkit::on_both_stores! {
    programs_are_listed_in_sets
    sources_and_what_was_found_out_about_them_are_listed_in_sets
    accreditations_and_offers_are_listed_in_sets
    items_are_listed_in_sets
    attempts_and_credits_are_listed_in_sets
    attempts_of_everyone_are_listed_in_sets
    staff_and_their_credentials_are_listed_in_sets
    clinicians_and_their_contests_are_listed_in_sets
    messages_are_listed_in_sets
    every_other_list_is_of_one_table
}

/// The lists whose rows have parts or seals of their own: a test below makes each of them long.
const MADE_LONG: [&str; 14] = [
    "listPrograms",
    "listSources",
    "listVerifications",
    "listAccreditations",
    "listOffers",
    "listItems",
    "listAttempts",
    "listLearnerAttempts",
    "listCredits",
    "listStaff",
    "listCredentials",
    "listClinicians",
    "listContestedIdentities",
    "listMessages",
];
/// The others, with the place in a program, in a source or outside of both, and the method that is called.
const OF_ONE_TABLE: [(&str, &str, &str); 4] = [
    ("listObjectives", "/v1/programs/{program}/objectives", "/preceptor.ingestion.v1.Ingestion/GetProgram"),
    ("listTasks", "/v1/programs/{program}/tasks", "/preceptor.ingestion.v1.Ingestion/ListTasks"),
    (
        "listRegistryCalls",
        "/v1/sources/{source}/registry-calls",
        "/preceptor.ingestion.v1.Ingestion/ListRegistryCalls",
    ),
    ("listAuditLeaves", "/v1/audit/leaves", "/preceptor.audit.v1.Audit/ListLeaves"),
];
/// A list of the operator, who is the same for every mesh of this process: it is one statement.
const OF_THE_OPERATOR: &str = "listOrgs";

/// Rows of a list when it is short, and when it is long.
const FEW: usize = 10;
const MANY: usize = 40;
/// Statements of a call that shows a page.
const MOST_STATEMENTS: u32 = 6;
/// Calls of the key engine, each for everything that a page shows.
const MOST_KEY_CALLS: u32 = 4;

/// A list: where it is, who reads it, and what is called for it.
struct List<'a> {
    path: String,
    reader: &'a Client,
    methods: &'static [&'static str],
}

/// The org of the admin.
async fn org(local: &Local) -> String {
    let orgs = local.operator.get("/v1/orgs").await.expect("orgs");
    id(&list(&orgs, "data")[0], "id").expect("an id")
}

/// What the newest call of a method cost.
fn cost(org: &str, method: &str) -> Cost {
    tally::newest(org, method).unwrap_or_else(|| panic!("{method} was not called"))
}

impl List<'_> {
    /// What it costs to read a page of at least so many rows, by method.
    async fn cost(&self, org: &str, rows: usize) -> Vec<(&'static str, Cost)> {
        let read = async || self.reader.get(&format!("{}?limit=100", self.path)).await.expect("a list");
        let page = read().await;
        assert!(list(&page, "data").len() >= rows, "{} has too few rows: {page:#}", self.path);
        self.methods.iter().map(|method| (*method, cost(org, method))).collect()
    }
}

/// Holds that lists cost the same however long they are. `more` makes the rows of a range.
async fn cost_the_same(local: &Local, lists: &[List<'_>], mut more: impl AsyncFnMut(Range<usize>)) {
    let org = org(local).await;
    more(0..FEW).await;
    let mut few = Vec::new();
    for list in lists {
        few.push(list.cost(&org, FEW).await);
    }
    more(FEW..MANY).await;
    for (list, few) in lists.iter().zip(few) {
        let many = list.cost(&org, MANY).await;
        println!("{}: {few:?} for {FEW} rows, {many:?} for {MANY}", list.path);
        assert_eq!(few, many, "{FEW} and {MANY} rows of {}", list.path);
        for (method, cost) in many {
            bounded(method, cost);
        }
    }
}

fn bounded(method: &str, cost: Cost) {
    assert!(
        cost.statements <= MOST_STATEMENTS && cost.key_calls <= MOST_KEY_CALLS,
        "{method} costs too much: {cost:?}"
    );
}

async fn programs_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.publish("Published", &["Know it"], vec![markdown("a.md", "# A\n\nA dose.\n")]).await.expect("one");
    let method = &["/preceptor.ingestion.v1.Ingestion/ListPrograms"];
    let programs = |reader| List { path: "/v1/programs".into(), reader, methods: method };
    cost_the_same(&local, &[programs(&local.editor)], async |rows: Range<usize>| {
        for row in rows {
            let new = json!({ "title": format!("Program {row}"), "objectives": ["One", "Two"] });
            local.editor.post("/v1/programs", &new).await.expect("a program");
        }
    })
    .await;
    local.stop().await;
}

/// Approves and attests sources of one paragraph each.
async fn sources(local: &Local, program: &str, rows: Range<usize>) {
    for row in rows {
        let text = format!("# Dose {row}\n\nThe usual dose of drug {row} in most adults is {row} mg.\n");
        let file = markdown(&format!("{row}.md"), &text);
        let source = local.editor.add_source(&local.reviewer, program, file, "read").await.expect("a source");
        local.reviewer.attest(&id(&source, "id").expect("an id")).await.expect("an attestation");
    }
}

/// What it costs to read the published content of a program, when what is published was read before.
async fn cost_of_content(local: &Local, org: &str, program: &str) -> Cost {
    local.editor.publish(program, "more of it").await.expect("a publication");
    for _ in 0..2 {
        let generate = format!("/v1/programs/{program}/items/generate");
        let asked = local.editor.post(&generate, &json!({ "count": 1 })).await.expect("a request");
        let path = format!("/v1/generations/{}", id(&asked, "id").expect("an id"));
        let ended = local.editor.wait_until(&path, |_| {}, |state| state["ended_at"].is_string()).await;
        ended.expect("it is answered");
    }
    cost(org, "/preceptor.ingestion.v1.Ingestion/ReadContent")
}

async fn sources_and_what_was_found_out_about_them_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let created = local.editor.post("/v1/programs", &json!({ "title": "Doses" })).await.expect("a program");
    let program = id(&created, "id").expect("an id");
    let first = markdown("first.md", "# First\n\nThe first dose is 1 mg.\n");
    let first = local.editor.add_source(&local.reviewer, &program, first, "read").await.expect("a source");
    let first = id(&first, "id").expect("an id");
    let learner = local.learner(&program, "learner").await.expect("a learner");
    let of = |path: String, reader, methods| List { path, reader, methods };
    let (sources_path, said_path) =
        (format!("/v1/programs/{program}/sources"), format!("/v1/sources/{first}/verifications"));
    let lists = [
        of(sources_path.clone(), &local.editor, &["/preceptor.ingestion.v1.Ingestion/ListSources"]),
        of(sources_path, &learner, &["/preceptor.ingestion.v1.Ingestion/ListSources"]),
        of(said_path.clone(), &local.editor, &["/preceptor.ingestion.v1.Ingestion/ListVerifications"]),
        of(said_path, &learner, &["/preceptor.ingestion.v1.Ingestion/ListVerifications"]),
    ];
    let org = org(&local).await;
    let mut content = Vec::new();
    cost_the_same(&local, &lists, async |rows: Range<usize>| {
        for _ in rows.clone() {
            local.reviewer.attest(&first).await.expect("an attestation");
        }
        sources(&local, &program, rows).await;
        content.push(cost_of_content(&local, &org, &program).await);
    })
    .await;
    assert_eq!(content[0], content[1], "what is read for a quiz");
    bounded("ReadContent", content[1]);
    local.stop().await;
}

async fn accreditations_and_offers_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local.publish("Doses", &[], vec![markdown("a.md", "# A\n\nA dose.\n")]).await.expect("one");
    let lists = [
        List {
            path: "/v1/accreditations".into(),
            reader: &local.editor,
            methods: &["/preceptor.credits.v1.Credits/ListAccreditations"],
        },
        List {
            path: format!("/v1/programs/{program}/offers"),
            reader: &local.editor,
            methods: &["/preceptor.credits.v1.Credits/ListOffers"],
        },
    ];
    cost_the_same(&local, &lists, async |rows: Range<usize>| {
        for row in rows {
            let accreditation = local.editor.accredit(&format!("Harbor {row}")).await.expect("one");
            local.editor.designate(&program, &accreditation).await.expect("an offer");
            let decision = json!({ "confirm": false, "evidence": "Not in the body's own list" });
            let path = format!("/v1/accreditations/{accreditation}/decision");
            local.operator.post(&path, &decision).await.expect("a decision");
        }
    })
    .await;
    local.stop().await;
}

/// An item of the bank that is about the first passage of a program with [`DOSES`].
async fn item(local: &Local, program: &str) -> Value {
    let all = local.editor.all(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&all[0], "id").expect("an id");
    local.reviewer.attest(&source).await.expect("an attestation");
    let document = local.editor.get(&format!("/v1/sources/{source}/document")).await.expect("a document");
    let about =
        |passage: &&Value| passage["text"].as_str().is_some_and(|text| text.contains("usual starting"));
    let passage = list(&document, "passages").iter().find(about).expect("a passage")["id"].clone();
    let options = ["5 mg", "2.5 mg", "20 mg"].map(|text| json!({ "text": text, "correct": text == "5 mg" }));
    json!({ "kind": "multiple_choice", "difficulty": "easy", "options": options, "passage_ids": [passage],
        "stem": "What is the usual starting dose of apixaban in most adults?" })
}

async fn items_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local.publish("Doses", &[], vec![markdown("doses.md", DOSES)]).await.expect("a program");
    let new = item(&local, &program).await;
    let path = format!("/v1/programs/{program}/items");
    let methods = &["/preceptor.credits.v1.Credits/ListItems"];
    let bank = List { path: path.clone(), reader: &local.editor, methods };
    cost_the_same(&local, &[bank], async |rows: Range<usize>| {
        for _ in rows {
            local.editor.post(&path, &new).await.expect("an item");
        }
    })
    .await;
    each_state_is_a_list(&local, &path).await;
    local.stop().await;
}

/// Reads the bank by state and in pages, and compares it with the whole.
async fn each_state_is_a_list(local: &Local, path: &str) {
    let bank = local.editor.all(path).await.expect("the bank");
    for (item, approve) in [(&bank[3], true), (&bank[5], false), (&bank[30], true)] {
        let decision = json!({ "approve": approve, "reason": "Checked against the passage" });
        let path = format!("/v1/items/{}/decision", id(item, "id").expect("an id"));
        local.reviewer.post(&path, &decision).await.expect("a decision");
    }
    let decided = local.editor.all(path).await.expect("the bank");
    let ids = |items: &[Value]| items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&bank), ids(&decided));
    for (state, count) in [("draft", bank.len() - 3), ("approved", 2), ("rejected", 1)] {
        let listed = local.editor.all(&format!("{path}?state={state}")).await.expect("a part of the bank");
        let expected: Vec<Value> = decided.iter().filter(|item| item["state"] == state).cloned().collect();
        assert_eq!((&listed, listed.len()), (&expected, count), "{state}");
    }
    let first = local.editor.get(&format!("{path}?state=draft&limit=7")).await.expect("a page");
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second =
        local.editor.get(&format!("{path}?state=draft&limit=7&cursor={cursor}")).await.expect("a page");
    let drafts: Vec<Value> = decided.iter().filter(|item| item["state"] == "draft").cloned().collect();
    assert_eq!(ids(&[list(&first, "data"), list(&second, "data")].concat()), ids(&drafts[..14]));
}

async fn attempts_and_credits_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({ "most_attempts": 0 })).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let passed = learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let methods = &["/preceptor.credits.v1.Credits/ListCredits"];
    let lists = [
        List {
            path: format!("/v1/programs/{}/attempts", course.program),
            reader: &learner,
            methods: &["/preceptor.credits.v1.Credits/ListAttempts"],
        },
        List { path: "/v1/credits".into(), reader: &local.editor, methods },
        List { path: "/v1/credits".into(), reader: &learner, methods },
    ];
    cost_the_same(&local, &lists, async |rows: Range<usize>| {
        for _ in rows {
            learner.take_quiz(&course.program, &course.items, Answers::Wrong).await.expect("an attempt");
            let credit = learner.claim(&passed, &course.offer, 0.5).await.expect("a credit");
            let void = format!("/v1/credits/{}/void", id(&credit, "id").expect("an id"));
            local.editor.post(&void, &json!({ "reason": "Claimed again" })).await.expect("it is void");
        }
        // One that goes on.
        let open = learner.begin_quiz(&course.program).await.expect("an attempt");
        let path = format!("/v1/attempts/{}/answers/1", id(&open, "id").expect("an id"));
        learner.put(&path, &json!({ "option": 1 })).await.expect("an answer");
    })
    .await;
    let attempts = learner.all(&format!("/v1/programs/{}/attempts", course.program)).await.expect("attempts");
    for attempt in [&attempts[0], &attempts[1], &attempts[attempts.len() - 1]] {
        let alone = learner.get(&format!("/v1/attempts/{}", id(attempt, "id").expect("an id"))).await;
        assert_eq!(*attempt, alone.expect("the attempt"), "the same in the list and by itself");
    }
    local.stop().await;
}

/// A learner who stated a name and a license that no one else states.
async fn named(local: &Local, program: &str, number: usize) -> Client {
    let learner = local.learner(program, &format!("learner{number}")).await.expect("a learner");
    let mut statement = physician("Ana Nunez", &format!("ana{number}@example.org"));
    statement["license_number"] = json!(format!("MD{number:05}"));
    let stated = learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await;
    stated.expect("a clinician");
    learner
}

async fn attempts_of_everyone_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let path = format!("/v1/programs/{}/learner-attempts", course.program);
    // Names are opened for the admin, and for all rows at once.
    let methods = &[
        "/preceptor.credits.v1.Credits/ListLearnerAttempts",
        "/preceptor.credentials.v1.Credentials/NameLearners",
    ];
    let attempts = List { path, reader: &local.editor, methods };
    cost_the_same(&local, &[attempts], async |rows: Range<usize>| {
        for row in rows {
            let learner = named(&local, &course.program, row).await;
            let answers = if row % 2 == 0 { Answers::Right } else { Answers::Wrong };
            let attempt = learner.take_quiz(&course.program, &course.items, answers).await;
            let attempt = attempt.expect("an attempt");
            if row % 4 == 0 {
                learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
            }
        }
    })
    .await;
    local.stop().await;
}

async fn staff_and_their_credentials_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let lists = [
        List {
            path: "/v1/staff".into(),
            reader: &local.editor,
            methods: &["/preceptor.auth.v1.Auth/ListStaff"],
        },
        List {
            path: "/v1/credentials".into(),
            reader: &local.editor,
            methods: &["/preceptor.auth.v1.Auth/ListCredentials"],
        },
    ];
    cost_the_same(&local, &lists, async |rows: Range<usize>| {
        for row in rows {
            local.editor.hire(&format!("Member {row}"), "editor").await.expect("a member");
        }
        // Anyone who reads next finds everything settled.
        local.editor.get("/v1/staff").await.expect("staff");
    })
    .await;
    local.stop().await;
}

/// Two people who state the same license, one of whom has it confirmed: their contest.
async fn contest(local: &Local, program: &str, number: usize) {
    let mut learners = Vec::new();
    for side in ["one", "other"] {
        let name = format!("{side}{number}");
        let learner = local.learner(program, &name).await.expect("a learner");
        let mut statement = physician("Ana Nunez", &format!("{name}@example.org"));
        statement["license_number"] = json!(format!("MD{number:05}"));
        let stated = learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await;
        learners.push(id(&stated.expect("a clinician"), "learner").expect("a pseudonym"));
    }
    let path = format!("/v1/clinicians/{}/primary-source", learners[0]);
    let seen = json!({ "confirmed": true, "evidence": format!("Looked up {number}") });
    local.editor.post(&path, &seen).await.expect("a check");
}

async fn clinicians_and_their_contests_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local.publish("Doses", &[], vec![markdown("a.md", "# A\n\nA dose.\n")]).await.expect("one");
    let lists = [
        List {
            path: "/v1/clinicians".into(),
            reader: &local.editor,
            methods: &["/preceptor.credentials.v1.Credentials/ListClinicians"],
        },
        List {
            path: "/v1/contested-identities".into(),
            reader: &local.editor,
            methods: &["/preceptor.credentials.v1.Credentials/ListContests"],
        },
    ];
    cost_the_same(&local, &lists, async |rows: Range<usize>| {
        for row in rows {
            contest(&local, &program, row).await;
        }
        let contests = local.editor.all("/v1/contested-identities").await.expect("contests");
        let newest = contests.last().expect("a contest");
        let decision = json!({ "upheld": newest["parties"][0]["learner"], "reason": "The board answered", "evidence": "Its mail" });
        let path = format!("/v1/contested-identities/{}/decision", id(newest, "id").expect("an id"));
        let decided = local.editor.post(&path, &decision).await.expect("a decision");
        assert_eq!(decided["evidence"], "Its mail", "{decided}");
    })
    .await;
    let people = local.editor.all("/v1/clinicians").await.expect("clinicians");
    assert!(people.iter().any(|person| person["checks"].to_string().contains("Looked up 7")));
    for contest in local.editor.all("/v1/contested-identities").await.expect("contests") {
        for party in list(&contest, "parties") {
            let alone = people.iter().find(|person| person["learner"] == party["learner"]);
            assert_eq!(Some(party), alone, "the same in both lists");
        }
    }
    local.stop().await;
}

async fn messages_are_listed_in_sets(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let text = "# Warfarin\n\nThe usual starting dose of warfarin is 5 mg once a day.\n";
    let program =
        local.publish("Doses", &["Know the dose"], vec![markdown("a.md", text)]).await.expect("a program");
    let methods = &[
        "/preceptor.answering.v1.Answering/ListMessages",
        "/preceptor.alignment.v1.Alignment/ListAlignments",
    ];
    let messages = List { path: format!("/v1/programs/{program}/messages"), reader: &local.editor, methods };
    cost_the_same(&local, &[messages], async |rows: Range<usize>| {
        for row in rows {
            let learner = local.learner(&program, &format!("learner{row}")).await.expect("a learner");
            let asked = learner.ask(&program, "What is the usual starting dose of warfarin?").await;
            let message = id(&asked.expect("an answer"), "message_id").expect("an id");
            // The key of the one who says more is open from then on.
            if row % 3 == 1 {
                let feedback = json!({ "helpful": true, "comment": format!("Good {row}") });
                learner.post(&format!("/v1/messages/{message}/feedback"), &feedback).await.expect("feedback");
            }
        }
    })
    .await;
    let listed = local.editor.all(&format!("/v1/programs/{program}/messages")).await.expect("messages");
    assert!(
        listed.iter().any(|message| message["feedback"].as_str().is_some_and(|said| said.contains("Good 7")))
    );
    local.stop().await;
}

/// The operations of the API that are lists.
fn lists_of(document: &Value) -> BTreeSet<&str> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.values().filter_map(|methods| methods["get"]["operationId"].as_str());
    operations.filter(|operation| operation.starts_with("list")).collect()
}

async fn every_other_list_is_of_one_table(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let document = local.editor.get("/openapi.json").await.expect("the document");
    let others = OF_ONE_TABLE.iter().map(|(operation, ..)| *operation);
    let known: BTreeSet<&str> = MADE_LONG.into_iter().chain(others).chain([OF_THE_OPERATOR]).collect();
    assert_eq!(lists_of(&document), known, "a list that is not looked at here");
    let text = markdown("a.md", "# A\n\nA dose.\n");
    let program = local.publish("Doses", &["Know the dose"], vec![text]).await.expect("a program");
    let all = local.editor.all(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&all[0], "id").expect("an id");
    let verdict = local.editor.verify_by(&source, json!({ "pmid": "1" })).await;
    assert_eq!(verdict.expect("a verdict")["verdict"], "unverifiable");
    let org = org(&local).await;
    for (operation, path, method) in OF_ONE_TABLE {
        let path = path.replace("{program}", &program).replace("{source}", &source);
        let page = local.editor.get(&path).await.expect("a list");
        assert!(!list(&page, "data").is_empty(), "{operation} shows nothing");
        bounded(method, cost(&org, method));
    }
    local.stop().await;
}
