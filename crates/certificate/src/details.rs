//! What the sheet of a certificate says of the activity and of its provider beside the facts of the award.

use serde::{Deserialize, Serialize};

/// Details of the activity and its provider. Times are RFC 3339; what is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Details {
    /// The org that issued the certificate, under the name it has on its platform.
    pub org: String,
    /// Whether the operator of the platform had confirmed the accreditation when the credit was awarded.
    pub accreditation_confirmed: bool,
    /// When that was.
    pub confirmed_at: String,
    /// The activity on this platform: the id of its designation.
    pub activity_id: String,
    /// The activity's number at the accreditor (PARS).
    pub activity_number: String,
    /// The provider's number at the accreditor.
    pub provider_number: String,
    /// When the activity was released.
    pub released_on: String,
    /// When its content was last reviewed since.
    pub reviewed_on: String,
    /// Until when credit can be claimed.
    pub terminates_on: String,
    /// Who provides the activity together with the accredited provider.
    pub joint_providers: Vec<String>,
    /// Statements of boards about maintenance of certification.
    pub moc_statements: Vec<String>,
    /// Who signs for the provider.
    pub signatory_name: String,
    /// What they are there.
    pub signatory_title: String,
    /// The provider's logo.
    pub logo: Option<Logo>,
}

/// A picture: at most 256 KiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logo {
    /// `image/png` or `image/svg+xml`.
    pub media_type: String,
    /// Its bytes in base64.
    pub base64: String,
}

impl Details {
    /// What is known of the accreditation, in a sentence for the one who is shown the certificate.
    pub fn standing(&self) -> String {
        let issuer = if self.org.is_empty() { "the issuing organization" } else { &self.org };
        if self.accreditation_confirmed {
            format!("Issued by {issuer}. The operator of the platform confirmed the accreditation.")
        } else {
            format!("Issued by {issuer}. Accreditation not confirmed by the operator of the platform.")
        }
    }
}
