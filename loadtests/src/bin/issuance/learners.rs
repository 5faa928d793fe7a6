//! A program that gives credit, and clinicians who passed its quiz.

use std::time::Duration;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use preceptor::client::{Client, Upload, id};
use preceptor::journey::{Answers, physician};
use preceptor_proto::auth::v1::auth_client::AuthClient;
use preceptor_proto::auth::v1::{Door, ExchangeRequest};
use preceptor_rpc::ServiceName;
use preceptor_rpc::call::unscoped;
use preceptor_testkit::Local;
use preceptor_testkit::local::DOSES;
use serde_json::{Value, json};

use super::text;

/// Someone who can claim.
#[derive(Debug, Clone)]
pub(super) struct Learner {
    pub(super) client: Client,
    pub(super) scope_token: String,
    pub(super) attempt: String,
}

/// The program.
pub(super) struct Course {
    program: String,
    pub(super) offer: String,
    items: Vec<Value>,
}

impl Course {
    pub(super) async fn open(local: &Local) -> anyhow::Result<Self> {
        let file =
            Upload { name: "doses.md".into(), content: DOSES.as_bytes().to_vec(), ..Upload::default() };
        let program = local.publish("Doses", &[], vec![file]).await?;
        let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await?;
        local.reviewer.attest(&id(&sources["data"][0], "id")?).await?;
        let accreditation = local.editor.accredit("Harbor").await?;
        let offer = local.editor.designate(&program, &accreditation).await?;
        let items = local.editor.make_quiz(&local.reviewer, &program, 3, json!({})).await?;
        Ok(Self { program, offer, items })
    }

    /// `count` clinicians who passed, made `at_once` at a time.
    pub(super) async fn learners(
        &self,
        local: &Local,
        count: usize,
        at_once: usize,
    ) -> anyhow::Result<Vec<Learner>> {
        stream::iter(0..count).map(|number| self.learner(local, number)).buffered(at_once).try_collect().await
    }

    async fn learner(&self, local: &Local, number: usize) -> anyhow::Result<Learner> {
        let client = local.learner(&self.program, &format!("learner {number}")).await?;
        client
            .become_clinician(&physician("Ana Núñez", &format!("{number}@example.org")), |to| {
                local.mail.newest_code(to)
            })
            .await?;
        let attempt = client.take_quiz(&self.program, &self.items, Answers::Right).await?;
        let auth = local.mesh.channel(ServiceName::Auth, ServiceName::Gateway)?;
        let request = unscoped(
            ExchangeRequest { credential: client.token().to_owned(), door: Door::Header.into() },
            Duration::from_secs(10),
        );
        let scope_token = AuthClient::new(auth).exchange(request).await?.into_inner().scope_token;
        Ok(Learner { attempt: id(&attempt, "id")?, client, scope_token })
    }
}

/// The first org.
pub(super) async fn org(local: &Local) -> anyhow::Result<String> {
    let orgs = local.operator.get("/v1/orgs").await?;
    text(&orgs["data"][0], "id")
}

/// Waits until everything that a claim begins has come to its end.
pub(super) async fn wait_for_certificates(learners: &[Learner]) -> anyhow::Result<()> {
    for learner in learners {
        let credits = learner.client.get("/v1/credits").await?;
        let credit = credits["data"].get(0).context("no credit")?;
        learner.client.certificate(&id(credit, "id")?).await?;
    }
    Ok(())
}
