//! What an org chooses for its certificates.

use axum::extract::State;
use preceptor_proto::credits::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::values::{PaperSetting, PaperSize};
use crate::Edge;
use crate::domain::time::rfc3339;
use crate::error::ApiError;
use crate::extract::Json;
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(get, set))
}

/// What the org chose for its certificates.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CertificateSettings {
    /// The paper unless a download asks for another one.
    #[schema(value_type = PaperSetting)]
    pub(crate) paper: String,
    /// Who chose it; empty where nothing was chosen.
    pub(crate) set_by: String,
    pub(crate) set_at: Option<String>,
    /// Scripts of which certificates of this deployment can show no name: such names are refused with `NAME_NOT_PRINTABLE`
    /// until the operator installs fonts.
    pub(crate) unprintable_scripts: Vec<String>,
}

/// What the org chooses for its certificates.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCertificateSettings {
    /// The paper unless a download asks for another one.
    pub(crate) paper: PaperSetting,
}

fn view(settings: proto::CertificateSettings) -> CertificateSettings {
    let paper =
        if settings.paper.is_empty() { PaperSetting::Usual.name().to_owned() } else { settings.paper };
    CertificateSettings {
        paper,
        set_by: settings.set_by,
        set_at: rfc3339(settings.set_at),
        unprintable_scripts: settings.unprintable_scripts,
    }
}

impl Edge {
    pub(crate) async fn certificate_settings(
        &self,
        identity: &Identity,
    ) -> Result<CertificateSettings, ApiError> {
        let request = identity.request(proto::GetCertificateSettingsRequest {})?;
        Ok(view(self.credits.clone().get_certificate_settings(request).await?.into_inner()))
    }

    pub(crate) async fn set_certificate_settings(
        &self,
        identity: &Identity,
        new: NewCertificateSettings,
    ) -> Result<CertificateSettings, ApiError> {
        let paper = match new.paper {
            PaperSetting::Usual => "",
            PaperSetting::Letter => PaperSize::Letter.name(),
            PaperSetting::A4 => PaperSize::A4.name(),
        };
        let request = proto::SetCertificateSettingsRequest { paper: paper.to_owned() };
        let set = self.credits.clone().set_certificate_settings(identity.request(request)?).await?;
        Ok(view(set.into_inner()))
    }
}

/// Tells on which paper the org's certificates are printed.
#[utoipa::path(get, path = "/v1/certificate-settings", operation_id = "getCertificateSettings", tag = "Credits",
    responses((status = 200, body = CertificateSettings)))]
async fn get(State(edge): State<Edge>, identity: Identity) -> Result<Json<CertificateSettings>, ApiError> {
    Ok(Json(edge.certificate_settings(&identity).await?))
}

/// Chooses the paper of the org's certificates, those that were issued before included.
#[utoipa::path(put, path = "/v1/certificate-settings", operation_id = "setCertificateSettings", tag = "Credits",
    request_body = NewCertificateSettings, responses((status = 200, body = CertificateSettings)))]
async fn set(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewCertificateSettings>,
) -> Result<Json<CertificateSettings>, ApiError> {
    Ok(Json(edge.set_certificate_settings(&identity, new).await?))
}
