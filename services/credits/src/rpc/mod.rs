//! `preceptor.credits.v1.Credits`: decode, call, encode.

mod encode;

use std::sync::Arc;

use preceptor_proto::credits::v1 as proto;
use preceptor_proto::credits::v1::credits_server::{Credits as Contract, CreditsServer};
use preceptor_rpc::{Call, Note, Rows};
use tonic::{Request, Response, Status};

use crate::domain::{
    Credits, DEFAULT_ATTEMPTS, DEFAULT_LEVEL, NewAccreditation, NewForm, NewItem, NewOffer, Wanted,
};

/// Things per page.
const MOST: i32 = 200;

#[derive(Debug)]
pub(crate) struct Server {
    credits: Arc<Credits>,
}

impl Server {
    pub(crate) fn new(credits: Arc<Credits>) -> Self {
        Self { credits }
    }

    pub(crate) fn into_service(self) -> CreditsServer<Self> {
        CreditsServer::new(self)
    }
}

#[tonic::async_trait]
impl Contract for Server {
    async fn record_accreditation(
        &self,
        request: Request<proto::RecordAccreditationRequest>,
    ) -> Result<Response<proto::Accreditation>, Status> {
        let call = Call::of(&request)?;
        let new = request.into_inner();
        let new = NewAccreditation {
            body: new.body,
            provider: new.provider,
            provider_number: new.provider_number,
            status: new.status,
            valid_from: new.valid_from,
            valid_until: new.valid_until,
            signatory_name: new.signatory_name,
            signatory_title: new.signatory_title,
            logo: new.logo,
        };
        Ok(Response::new(encode::accreditation(self.credits.record_accreditation(&call, new).await?)))
    }

    async fn decide_accreditation(
        &self,
        request: Request<proto::DecideAccreditationRequest>,
    ) -> Result<Response<proto::Accreditation>, Status> {
        let call = Call::of(&request)?;
        let asked = request.into_inner();
        let decided = self
            .credits
            .decide_accreditation(&call, &asked.accreditation_id, asked.confirm, &asked.evidence)
            .await?;
        Ok(Response::new(encode::accreditation(decided)))
    }

    async fn list_accreditations(
        &self,
        request: Request<proto::ListAccreditationsRequest>,
    ) -> Result<Response<proto::ListAccreditationsResponse>, Status> {
        let rows = self.credits.accreditations(&Call::of(&request)?).await?;
        Ok(Response::new(proto::ListAccreditationsResponse {
            accreditations: rows.into_iter().map(encode::accreditation).collect(),
        }))
    }

    async fn designate(
        &self,
        request: Request<proto::DesignateRequest>,
    ) -> Result<Response<proto::Offer>, Status> {
        let call = Call::of(&request)?;
        let new = request.into_inner();
        let new = NewOffer {
            program: new.program_id,
            credit_type: new.credit_type,
            format: new.activity_format,
            quarters: new.designated_quarters,
            opens_at: (new.opens_at != 0).then_some(new.opens_at),
            terminates_at: new.terminates_at,
            evaluation_required: new.evaluation_required,
            minimum_level: new.minimum_level.map_or(DEFAULT_LEVEL, i64::from),
            classes: new.source_classes,
            accreditation: new.accreditation_id,
            activity_number: new.activity_number,
            released_at: (new.released_at != 0).then_some(new.released_at),
            reviewed_at: (new.reviewed_at != 0).then_some(new.reviewed_at),
            joint_providers: new.joint_providers,
            moc_statements: new.moc_statements,
        };
        Ok(Response::new(encode::offer(self.credits.designate(&call, new).await?)))
    }

    async fn list_offers(
        &self,
        request: Request<proto::ListOffersRequest>,
    ) -> Result<Response<proto::ListOffersResponse>, Status> {
        let call = Call::of(&request)?;
        let offers = self.credits.offers(&call, &request.into_inner().program_id).await?;
        Ok(Response::new(proto::ListOffersResponse {
            offers: offers.into_iter().map(encode::offer).collect(),
        }))
    }

    async fn generate_items(
        &self,
        request: Request<proto::GenerateItemsRequest>,
    ) -> Result<Response<proto::Generation>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let wanted = Wanted {
            count: usize::try_from(request.count).unwrap_or(0),
            kind: request.kind,
            difficulty: request.difficulty,
        };
        Ok(Response::new(encode::generation(
            self.credits.ask_for_items(&call, &request.program_id, wanted).await?,
        )))
    }

    async fn get_generation(
        &self,
        request: Request<proto::GetGenerationRequest>,
    ) -> Result<Response<proto::Generation>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::generation(
            self.credits.generation(&scope, &request.into_inner().generation_id).await?,
        )))
    }

    async fn cancel_generation(
        &self,
        request: Request<proto::CancelGenerationRequest>,
    ) -> Result<Response<proto::Generation>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::generation(
            self.credits.cancel_generation(&scope, &request.into_inner().generation_id).await?,
        )))
    }

    async fn write_item(
        &self,
        request: Request<proto::WriteItemRequest>,
    ) -> Result<Response<proto::Item>, Status> {
        let call = Call::of(&request)?;
        let new = request.into_inner();
        let new = NewItem {
            program: new.program_id,
            item: (!new.item_id.is_empty()).then_some(new.item_id),
            kind: new.kind,
            difficulty: new.difficulty,
            stem: new.stem,
            options: new.options.into_iter().map(|option| (option.text, option.correct)).collect(),
            explanation: new.explanation,
            passages: new.passage_ids,
        };
        Ok(Response::new(encode::item(&self.credits.write_item(&call, new).await?)))
    }

    async fn list_items(
        &self,
        request: Request<proto::ListItemsRequest>,
    ) -> Result<Response<proto::ListItemsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let rows = Rows::asked(request.limit, MOST);
        let items = self
            .credits
            .items(&call, &request.program_id, &request.state, &request.after, rows.to_read())
            .await?;
        let (items, next) = rows.page(items, |item| &item.version.item_id);
        Ok(Response::new(proto::ListItemsResponse { items: items.iter().map(encode::item).collect(), next }))
    }

    async fn decide_item(
        &self,
        request: Request<proto::DecideItemRequest>,
    ) -> Result<Response<proto::Item>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let item =
            self.credits.decide_item(&scope, &request.item_id, request.approve, &request.reason).await?;
        Ok(Response::new(encode::item(&item)))
    }

    async fn freeze_form(
        &self,
        request: Request<proto::FreezeFormRequest>,
    ) -> Result<Response<proto::Form>, Status> {
        let call = Call::of(&request)?;
        let new = request.into_inner();
        let new = NewForm {
            program: new.program_id,
            items: new.item_ids,
            threshold: i64::from(new.threshold),
            most_attempts: new.most_attempts.map_or(DEFAULT_ATTEMPTS, i64::from),
            classes: new.source_classes,
            leaderboard: new.leaderboard,
        };
        Ok(Response::new(encode::form(self.credits.freeze(&call, new).await?, true)))
    }

    async fn get_quiz(
        &self,
        request: Request<proto::GetQuizRequest>,
    ) -> Result<Response<proto::Quiz>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(encode::quiz(self.credits.quiz(&call, &request.into_inner().program_id).await?)))
    }

    async fn start_attempt(
        &self,
        request: Request<proto::StartAttemptRequest>,
    ) -> Result<Response<proto::Attempt>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        Ok(Response::new(encode::attempt(
            &self.credits.start_attempt(&call, &request.program_id, &request.form_id).await?,
        )))
    }

    async fn get_attempt(
        &self,
        request: Request<proto::GetAttemptRequest>,
    ) -> Result<Response<proto::Attempt>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::attempt(
            &self.credits.attempt(&scope, &request.into_inner().attempt_id).await?,
        )))
    }

    async fn list_attempts(
        &self,
        request: Request<proto::ListAttemptsRequest>,
    ) -> Result<Response<proto::ListAttemptsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let rows = Rows::asked(request.limit, MOST);
        let attempts =
            self.credits.attempts(&call, &request.program_id, &request.after, rows.to_read()).await?;
        let (attempts, next) = rows.page(attempts, |view| &view.attempt.id);
        Ok(Response::new(proto::ListAttemptsResponse {
            attempts: attempts.iter().map(encode::attempt).collect(),
            next,
        }))
    }

    async fn list_learner_attempts(
        &self,
        request: Request<proto::ListLearnerAttemptsRequest>,
    ) -> Result<Response<proto::ListLearnerAttemptsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let rows = Rows::asked(request.limit, MOST);
        let attempts = self.credits.learner_attempts(&call, &request, rows.to_read()).await?;
        let (attempts, next) = rows.page(attempts, |attempt| &attempt.id);
        Ok(Response::new(proto::ListLearnerAttemptsResponse { attempts, next }))
    }

    async fn save_answer(
        &self,
        request: Request<proto::SaveAnswerRequest>,
    ) -> Result<Response<proto::Attempt>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let (question, option) = (i64::from(request.position), i64::from(request.option));
        Ok(Response::new(encode::attempt(
            &self.credits.save_answer(&scope, &request.attempt_id, question, option).await?,
        )))
    }

    async fn submit_attempt(
        &self,
        request: Request<proto::SubmitAttemptRequest>,
    ) -> Result<Response<proto::Attempt>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::attempt(
            &self.credits.submit_attempt(&scope, &request.into_inner().attempt_id).await?,
        )))
    }

    async fn show_feedback(
        &self,
        request: Request<proto::ShowFeedbackRequest>,
    ) -> Result<Response<proto::Attempt>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::attempt(
            &self.credits.show_feedback(&scope, &request.into_inner().attempt_id).await?,
        )))
    }

    async fn evaluate(
        &self,
        request: Request<proto::EvaluateRequest>,
    ) -> Result<Response<proto::Evaluation>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let given = self
            .credits
            .evaluate(&call, &request.program_id, request.ratings.into_iter().collect(), &request.change)
            .await?;
        Ok(Response::new(proto::Evaluation {
            id: given.id,
            program_id: given.program_id,
            given_at: given.given_at,
        }))
    }

    async fn get_leaderboard(
        &self,
        request: Request<proto::GetLeaderboardRequest>,
    ) -> Result<Response<proto::Leaderboard>, Status> {
        let call = Call::of(&request)?;
        let places = self.credits.leaderboard(&call, &request.into_inner().program_id).await?;
        Ok(Response::new(proto::Leaderboard { places: places.into_iter().map(encode::place).collect() }))
    }

    async fn claim_credit(
        &self,
        request: Request<proto::ClaimCreditRequest>,
    ) -> Result<Response<proto::Credit>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let credit =
            self.credits.claim(&call, &request.attempt_id, &request.offer_id, request.quarters).await?;
        Ok(Response::new(encode::credit(credit)))
    }

    async fn list_credits(
        &self,
        request: Request<proto::ListCreditsRequest>,
    ) -> Result<Response<proto::ListCreditsResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let rows = Rows::asked(request.limit, MOST);
        let credits = self
            .credits
            .credits(&scope, request.own, &request.program_id, &request.after, rows.to_read())
            .await?;
        let (credits, next) = rows.page(credits, |credit| &credit.award.id);
        Ok(Response::new(proto::ListCreditsResponse {
            credits: credits.into_iter().map(encode::credit).collect(),
            next,
        }))
    }

    async fn get_credit(
        &self,
        request: Request<proto::GetCreditRequest>,
    ) -> Result<Response<proto::Credit>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::credit(self.credits.credit(&scope, &request.into_inner().credit_id).await?)))
    }

    async fn void_credit(
        &self,
        request: Request<proto::VoidCreditRequest>,
    ) -> Result<Response<proto::Credit>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        Ok(Response::new(encode::credit(
            self.credits.void(&scope, &request.credit_id, &request.reason).await?,
        )))
    }

    async fn get_provenance(
        &self,
        request: Request<proto::GetCreditRequest>,
    ) -> Result<Response<proto::Provenance>, Status> {
        let call = Call::of(&request)?;
        let document = self.credits.provenance(&call, &request.into_inner().credit_id).await?;
        let learner = document["credit"]["learner"].as_str().unwrap_or_default().to_owned();
        Ok(Response::new(proto::Provenance { document: document.to_string(), learner }))
    }

    async fn get_certificate(
        &self,
        request: Request<proto::GetCertificateRequest>,
    ) -> Result<Response<proto::CertificateFiles>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let paper = encode::paper(&request.paper)?;
        let files = self.credits.certificate(&call.shared_scope(), &request.credit_id, paper).await?;
        self.credits.confirm(&call, &files).await?;
        Ok(Response::new(proto::CertificateFiles {
            pdf: files.pdf,
            badge: files.badge,
            jwt: files.jwt,
            code: files.code,
            sha256: files.sha256,
            voided: files.voided,
        }))
    }

    async fn get_certificate_settings(
        &self,
        request: Request<proto::GetCertificateSettingsRequest>,
    ) -> Result<Response<proto::CertificateSettings>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::settings(&self.credits.settings(&scope).await?)))
    }

    async fn set_certificate_settings(
        &self,
        request: Request<proto::SetCertificateSettingsRequest>,
    ) -> Result<Response<proto::CertificateSettings>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let paper = encode::paper(&request.into_inner().paper)?;
        Ok(Response::new(encode::settings(&self.credits.choose_paper(&scope, paper).await?)))
    }

    async fn look_up_certificate(
        &self,
        request: Request<proto::LookUpCertificateRequest>,
    ) -> Result<Response<proto::CertificateSummary>, Status> {
        let note = Note::of(&request);
        Ok(Response::new(encode::summary(self.credits.look_up(&request.into_inner().code, &note).await?)))
    }

    async fn get_activity(
        &self,
        request: Request<proto::GetActivityRequest>,
    ) -> Result<Response<proto::Activity>, Status> {
        Ok(Response::new(encode::activity(self.credits.activity(&request.into_inner().code).await?)))
    }

    async fn get_issuer(
        &self,
        request: Request<proto::GetIssuerRequest>,
    ) -> Result<Response<proto::Issuer>, Status> {
        Ok(Response::new(encode::issuer(self.credits.issuer(&request.into_inner().name).await?)))
    }

    async fn get_status_list(
        &self,
        request: Request<proto::GetStatusListRequest>,
    ) -> Result<Response<proto::StatusList>, Status> {
        let list = self.credits.status_list(&request.into_inner().name).await?;
        Ok(Response::new(proto::StatusList { credential: list.credential.to_string() }))
    }
}
