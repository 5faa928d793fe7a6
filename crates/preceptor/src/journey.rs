//! The steps from a verified source to a certificate, as the public API offers them: for the demo, tests and tools.

use std::time::Duration;

use anyhow::Context as _;
use preceptor_core::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::client::{Client, id};

/// How long a verdict or a certificate may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a quiz is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Every answer is right.
    Right,
    /// Every answer is wrong.
    Wrong,
}

/// A day so many days from today, or before it, as the API takes days.
pub fn day_from_now(days: i64) -> String {
    let now = SystemClock.now().micros();
    Timestamp::from_micros(now + days * 24 * 60 * 60 * 1_000_000).to_string().chars().take(10).collect()
}

/// A physician's statement that every check of the platform accepts.
pub fn physician(name: &str, email: &str) -> Value {
    json!({
        "profession": "physician", "name": name, "degree": "MD", "email": email, "license_number": "MD12345",
        "license_board": "Medical Board of California", "licensed_since": "2015-07-01", "specialty": "Internal medicine",
    })
}

impl Client {
    /// Writes, in place of what was there.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send_to(reqwest::Method::PUT, path, body).await
    }

    /// Answers for an approved source, as its reviewer.
    pub async fn attest(&self, source: &str) -> anyhow::Result<Value> {
        let attestation =
            json!({ "class": "provider_attested", "statement": "Peer-reviewed by the planning committee" });
        self.post(&format!("/v1/sources/{source}/verifications"), &json!({ "attestation": attestation }))
            .await
    }

    /// Has a source verified by an identifier and waits for the verdict.
    pub async fn verify_by(&self, source: &str, identifier: Value) -> anyhow::Result<Value> {
        self.post(&format!("/v1/sources/{source}/verifications"), &identifier).await?;
        let path = format!("/v1/sources/{source}");
        let asked = self.wait_until(&path, |_| {}, |state| state["verifying"] == false);
        let mut state = tokio::time::timeout(PATIENCE, asked)
            .await
            .with_context(|| format!("the source {source} was not verified in time"))??;
        Ok(state["verification"].take())
    }

    /// Records that the provider is jointly accredited, for physicians and nurses, as its admin; returns the accreditation's id.
    pub async fn accredit(&self, provider: &str) -> anyhow::Result<String> {
        let period = json!({ "body": "joint_accreditation", "provider": provider, "provider_number": "0001234", "valid_from": day_from_now(-700), "valid_until": day_from_now(1400) });
        id(&self.post("/v1/accreditations", &period).await?, "id")
    }

    /// Confirms an accreditation, as the operator.
    pub async fn confirm_accreditation(&self, accreditation: &str, evidence: &str) -> anyhow::Result<Value> {
        let path = format!("/v1/accreditations/{accreditation}/decision");
        self.post(&path, &json!({ "confirm": true, "evidence": evidence })).await
    }

    /// Designates a program for at most 0.75 credits, from now on, to the one who states their license; returns the offer's id.
    pub async fn designate(&self, program: &str, accreditation: &str) -> anyhow::Result<String> {
        let offer = json!({
            "credit_type": "ama_pra_1", "activity_format": "enduring_material", "maximum": 0.75, "terminates_at": day_from_now(1000),
            "accreditation_id": accreditation, "minimum_level": 0,
        });
        id(&self.post(&format!("/v1/programs/{program}/offers"), &offer).await?, "id")
    }

    /// Makes items from verified sources, has them approved and opens them as a quiz; returns the items.
    pub async fn make_quiz(
        &self,
        reviewer: &Self,
        program: &str,
        count: usize,
        terms: Value,
    ) -> anyhow::Result<Vec<Value>> {
        let items = self.generate_items(program, count, |_| {}).await?;
        for item in &items {
            let decision = json!({ "approve": true, "reason": "Checked against the passage" });
            reviewer.post(&format!("/v1/items/{}/decision", id(item, "id")?), &decision).await?;
        }
        self.post(&format!("/v1/programs/{program}/quiz"), &terms).await?;
        Ok(items)
    }

    /// Takes the open quiz of a program; returns the submitted attempt.
    pub async fn take_quiz(&self, program: &str, items: &[Value], answers: Answers) -> anyhow::Result<Value> {
        let attempt = self.begin_quiz(program).await?;
        self.answer_quiz(&attempt, items, answers).await?;
        self.submit_quiz(&attempt).await
    }

    /// Reads the terms of a program's open quiz and begins an attempt at it, or goes on with the one that is under way.
    pub async fn begin_quiz(&self, program: &str) -> anyhow::Result<Value> {
        let form = id(&self.get(&format!("/v1/programs/{program}/quiz")).await?["form"], "id")?;
        self.post(&format!("/v1/programs/{program}/attempts"), &json!({ "form_id": form })).await
    }

    /// Answers every question of an attempt. `items` are those of the bank, which know the answers.
    pub async fn answer_quiz(
        &self,
        attempt: &Value,
        items: &[Value],
        answers: Answers,
    ) -> anyhow::Result<()> {
        let attempt_id = id(attempt, "id")?;
        for question in attempt["questions"].as_array().into_iter().flatten() {
            let item = items
                .iter()
                .find(|item| item["stem"] == question["stem"])
                .context("a question of another quiz")?;
            let is_right = |text: &Value| {
                item["options"].as_array().is_some_and(|options| {
                    options.iter().any(|option| option["text"] == *text && option["correct"] == true)
                })
            };
            let options = question["options"].as_array().into_iter().flatten();
            let chosen = options
                .filter(|option| is_right(&option["text"]) == (answers == Answers::Right))
                .map(|option| option["number"].clone())
                .next();
            let path = format!("/v1/attempts/{attempt_id}/answers/{}", question["position"]);
            self.put(&path, &json!({ "option": chosen.context("no such option")? })).await?;
        }
        Ok(())
    }

    /// Ends an attempt; returns it with its result.
    pub async fn submit_quiz(&self, attempt: &Value) -> anyhow::Result<Value> {
        self.post(&format!("/v1/attempts/{}/submit", id(attempt, "id")?), &json!({})).await
    }

    /// States who one is and proves the address; `newest_code` reads the mail that came to it.
    pub async fn become_clinician(
        &self,
        statement: &Value,
        newest_code: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Value> {
        self.put("/v1/me/clinician", statement).await?;
        self.post("/v1/me/email-codes", &json!({})).await?;
        let code = newest_code(statement["email"].as_str().unwrap_or_default()).context("no code came")?;
        self.post("/v1/me/email-verification", &json!({ "code": code })).await
    }

    /// Claims a credit for a submitted attempt.
    pub async fn claim(&self, attempt: &Value, offer: &str, amount: f64) -> anyhow::Result<Value> {
        let claim = json!({ "offer_id": offer, "amount": amount });
        self.post(&format!("/v1/attempts/{}/claims", id(attempt, "id")?), &claim).await
    }

    /// Waits until a credit's certificate is printed and downloads it.
    pub async fn certificate(&self, credit: &str) -> anyhow::Result<Vec<u8>> {
        let path = format!("/v1/credits/{credit}");
        let printed = self.wait_until(&path, |_| {}, |state| state["certificate_state"] == "ready");
        tokio::time::timeout(PATIENCE, printed)
            .await
            .with_context(|| format!("the certificate of {credit} was not printed in time"))??;
        self.download(&format!("/v1/credits/{credit}/certificate")).await
    }
}
