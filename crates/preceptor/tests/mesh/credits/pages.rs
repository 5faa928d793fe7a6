//! The way to a credit by pages alone, as a person without scripts walks it.

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, day_from_now};
use preceptor_testkit::{Local, Store};
use reqwest::{Response, Url};
use serde_json::{Value, json};
use url::Position;

use crate::support::{eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    the_way_from_a_source_to_a_certificate_is_open_to_people_without_scripts
}

/// A person at a browser.
struct Person<'a> {
    local: &'a Local,
    http: reqwest::Client,
    token: String,
}

impl<'a> Person<'a> {
    fn new(local: &'a Local, client: &Client) -> Self {
        Self { local, http: reqwest::Client::new(), token: client.token().to_owned() }
    }

    async fn page(&self, response: Result<Response, reqwest::Error>, what: &str) -> (Url, String) {
        let response = response.expect("an answer");
        let (status, url) = (response.status(), response.url().clone());
        let text = response.text().await.expect("text");
        assert!(status.is_success(), "{what}: {status} {text}");
        assert!(text.contains("<h1") && !text.contains("<script>"), "{what}: {text}");
        (url, text)
    }

    async fn open(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.local.url)).bearer_auth(&self.token);
        self.page(request.send().await, path).await.1
    }

    /// Sends a form; returns where it led.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> (String, String) {
        let mut form = Url::parse("http://form.example").expect("a URL");
        form.query_pairs_mut().extend_pairs(fields);
        let request = self.http.post(format!("{}{path}", self.local.url)).bearer_auth(&self.token);
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(form.query().unwrap_or_default().to_owned());
        let (url, text) = self.page(request.send().await, path).await;
        (url[Position::BeforePath..].to_owned(), text)
    }
}

/// What stands on the page, without what HTML escapes.
fn plain(html: &str) -> String {
    let pairs = [
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&lt;", "<"),
        ("&#60;", "<"),
        ("&gt;", ">"),
        ("&#62;", ">"),
        ("&amp;", "&"),
        ("&#38;", "&"),
    ];
    pairs.iter().fold(html.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// The fields of an attempt's form with the right option of each question, read off the page.
fn right_answers(page: &str, items: &[Value]) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    for fieldset in page.split("<fieldset>").skip(1) {
        let legend = plain(
            fieldset
                .split("<legend>")
                .nth(1)
                .and_then(|rest| rest.split("</legend>").next())
                .expect("a legend"),
        );
        let item = items
            .iter()
            .find(|item| legend.ends_with(item["stem"].as_str().expect("a stem")))
            .expect("an item of the bank");
        let right =
            list(item, "options").iter().find(|option| option["correct"] == true).expect("a right option");
        for choice in fieldset.split("<input ").skip(1) {
            let text =
                plain(choice.split('>').nth(1).and_then(|rest| rest.split('<').next()).expect("a text"));
            let attribute = |name: &str| {
                choice
                    .split(&format!("{name}=\""))
                    .nth(1)
                    .and_then(|rest| rest.split('"').next())
                    .expect("an attribute")
            };
            if text.trim() == right["text"].as_str().expect("a text") {
                answers.push((attribute("name").to_owned(), attribute("value").to_owned()));
            }
        }
    }
    answers
}

/// A published program, verified, with an open quiz: all but the accreditation by pages.
async fn provided(local: &Local) -> (String, Vec<Value>) {
    let (editor, reviewer) = (Person::new(local, &local.editor), Person::new(local, &local.reviewer));
    let program =
        local.publish("Doses", &[], vec![markdown("doses.md", super::DOSES)]).await.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    let attestation =
        [("class", "provider_attested"), ("statement", "Peer-reviewed by the planning committee")];
    let (_, page) = reviewer.send(&format!("/console/sources/{source}/verification"), &attestation).await;
    assert!(page.contains("Peer-reviewed by the planning committee") || page.contains("verified"), "{page}");
    let accreditation = local.editor.accredit("Harbor").await.expect("an accreditation");
    local.editor.designate(&program, &accreditation).await.expect("an offer");

    let (bank, _) = editor.send(&format!("/console/programs/{program}/items"), &[("count", "3")]).await;
    assert!(bank.starts_with(&format!("/console/programs/{program}/items?generation=gen_")), "{bank}");
    let page = eventually("the drafts", async || {
        Some(editor.open(&bank).await).filter(|page| page.contains("3 drafts were made"))
    })
    .await;
    let items = local.editor.get(&format!("/v1/programs/{program}/items")).await.expect("items");
    let items = list(&items, "data").to_vec();
    assert_eq!(items.len(), 3);
    for item in &items {
        assert!(
            plain(&page).contains(item["stem"].as_str().expect("a stem")),
            "the item is shown beside its passage"
        );
        let decision = [
            ("decision", "approve"),
            ("reason", "Checked against the passage"),
            ("program_id", program.as_str()),
        ];
        reviewer
            .send(&format!("/console/items/{}/decision", item["id"].as_str().expect("an id")), &decision)
            .await;
    }
    let terms = [("threshold_percent", "60"), ("most_attempts", "0"), ("leaderboard", "on")];
    editor.send(&format!("/console/programs/{program}/quiz"), &terms).await;
    // An offer that counts other sources than the quiz promises nothing to learners, and its provider is told.
    let other = json!({ "credit_type": "ancc_contact_hour", "activity_format": "enduring_material", "maximum": 0.5,
        "terminates_at": day_from_now(300), "accreditation_id": accreditation, "source_classes": ["pubmed"] });
    local.editor.post(&format!("/v1/programs/{program}/offers"), &other).await.expect("an offer");
    assert!(
        editor
            .open(&format!("/console/programs/{program}/items"))
            .await
            .contains("No one can earn this with the open quiz")
    );
    let rules = local.editor.get(&format!("/v1/programs/{program}/quiz")).await.expect("the rules");
    assert_eq!(list(&rules, "offers").len(), 1, "{rules}");
    // What is decided makes space for what waits.
    let more = local.editor.generate_items(&program, 2, |_| {}).await.expect("drafts");
    let (bank, shown) = (format!("/console/programs/{program}/items"), |page: &str, item: &Value| {
        page.contains(&format!("id=\"{}\"", item["id"].as_str().expect("an id")))
    });
    let page = reviewer.open(&bank).await;
    assert!(
        more.iter().all(|draft| shown(&page, draft)) && !items.iter().any(|item| shown(&page, item)),
        "{page}"
    );
    let page = reviewer.open(&format!("{bank}?state=approved")).await;
    assert!(
        items.iter().all(|item| shown(&page, item)) && !more.iter().any(|draft| shown(&page, draft)),
        "{page}"
    );
    (program, items)
}

/// States a license and proves the address.
async fn become_clinician(local: &Local, learner: &Person<'_>) {
    let statement = [
        ("profession", "physician"),
        ("name", "Zoë O'Brien-Ångström"),
        ("degree", "MD"),
        ("email", "zoe@example.org"),
        ("license_number", "MD1"),
        ("license_board", "Medical Board of California"),
        ("licensed_since", "2015-07-01"),
        ("license_expires", ""),
        ("specialty", ""),
        ("npi", ""),
    ];
    let (_, page) = learner.send("/me/clinician", &statement).await;
    assert!(page.contains("Verify zoe@example.org"), "{page}");
    learner.send("/me/clinician/code", &[]).await;
    let code = local.mail.newest_code("zoe@example.org").expect("a code");
    let (_, page) = learner.send("/me/clinician/confirm", &[("code", &code)]).await;
    assert!(page.contains("at level 0 of 3"), "{page}");
}

async fn the_way_from_a_source_to_a_certificate_is_open_to_people_without_scripts(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, items) = provided(&local).await;
    let client = local.learner(&program, "zoe").await.expect("a learner");
    let learner = Person::new(&local, &client);
    let rules = learner.open(&format!("/programs/{program}/quiz")).await;
    assert!(
        rules.contains("60 %") && rules.contains("Begin the quiz"),
        "the threshold is shown before the start: {rules}"
    );

    let form = rules
        .split("name=\"form_id\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the form that is shown");
    let (attempt, page) = learner.send(&format!("/programs/{program}/quiz"), &[("form_id", form)]).await;
    let answers = right_answers(&page, &items);
    assert_eq!(answers.len(), 3, "{page}");
    let (_, page) = learner.send(&attempt, &[(&answers[0].0, &answers[0].1), ("action", "submit")]).await;
    assert!(
        page.contains("<fieldset>") && page.contains(" checked"),
        "open questions are named, and what was chosen is kept: {page}"
    );
    let mut fields: Vec<(&str, &str)> =
        answers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("action", "submit"));
    let (_, page) = learner.send(&attempt, &fields).await;
    assert!(page.contains("Passed") && page.contains("Claim the credit"), "{page}");

    let offers = local.editor.get(&format!("/v1/programs/{program}/offers")).await.expect("offers");
    let offer = list(&offers, "data")
        .iter()
        .find(|offer| offer["credit_type"] == "ama_pra_1")
        .expect("the offer for physicians");
    let offer = id(offer, "id").expect("an id");
    let claim = [("offer_id", offer.as_str()), ("amount", "0.5")];
    become_clinician(&local, &learner).await;
    let (credit, _) = learner.send(&format!("{attempt}/claim"), &claim).await;
    assert!(credit.starts_with("/credits/"), "{credit}");
    let page = eventually("the certificate", async || {
        let page = learner.open(&credit).await;
        page.contains("Download the certificate").then_some(page)
    })
    .await;
    assert!(page.contains("0.50"), "{page}");
    assert!(page.contains("/verify/"), "there is a link to share: {page}");
    assert!(learner.open("/credits").await.contains(&credit), "the transcript leads to the credit");
    // An admin who passed too sees their own credits there, and not those that they may read.
    let admin = local.editor.hire("Ada Admin", "admin").await.expect("an admin who has not seen the key");
    let passed = admin.take_quiz(&program, &items, Answers::Right).await.expect("an attempt");
    let page =
        Person::new(&local, &admin).open(&format!("/attempts/{}", id(&passed, "id").expect("an id"))).await;
    assert!(page.contains("Claim the credit") && !page.contains(&credit), "{page}");
    let history = Person::new(&local, &local.editor).open(&format!("{credit}/history")).await;
    for told in ["Peer-reviewed by the planning committee", "Approved by", "60"] {
        assert!(plain(&history).contains(told), "{told}: {history}");
    }
    let chain = history.split("The whole document").next().unwrap_or_default();
    assert!(!chain.contains("staff_"), "people are shown by name: {chain}");
    let bank = format!("/console/programs/{program}/items?state=approved");
    assert!(!Person::new(&local, &local.editor).open(&bank).await.contains("staff_"), "in the item bank too");
    let pdf = client.certificate(credit.rsplit('/').next().expect("an id")).await.expect("a certificate");
    let code = preceptor_certificate::verify::verify(&pdf, None).expect("it holds").code;
    let page = learner.open(&format!("/verify/{code}")).await;
    assert!(plain(&page).contains("Zoë O'Brien-Ångström"), "{page}");
    local.stop().await;
}
