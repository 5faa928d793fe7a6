//! The words that fields choose from. The document lists them, the body extractor refuses others, and handlers read them by
//! name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

// A word is taken as it is written (`tt`): inside of a `literal` the reader of schemas does not see it.
macro_rules! values {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:tt),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub(crate) enum $name {
            $(#[doc = concat!("The word `", $text, "`.")] #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// The word.
            #[allow(dead_code, reason = "some are only written")]
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    )+};
}

values! {
    /// Where a program stands.
    ProgramState { Draft = "draft", Indexing = "indexing", Published = "published", Withdrawn = "withdrawn" }
    /// Where a source stands.
    SourceState {
        Extracting = "extracting", Failed = "failed", Draft = "draft", InReview = "in_review", Approved = "approved", Rejected = "rejected",
    }
    /// What vouches for a source.
    SourceClass { Pubmed = "pubmed", Crossref = "crossref", Guideline = "guideline", ProviderAttested = "provider_attested" }
    /// What a reviewer may vouch for.
    AttestedClass { Guideline = "guideline", ProviderAttested = "provider_attested" }
    /// What was found out about a source.
    Verdict {
        Verified = "verified", Erratum = "erratum", ExpressionOfConcern = "expression_of_concern", PartiallyRetracted = "partially_retracted",
        Retracted = "retracted", RetractedAndRepublished = "retracted_and_republished", Unverifiable = "unverifiable",
    }
    /// How a question ended.
    MessageOutcome { Answered = "answered", Closest = "closest", Declined = "declined" }
    /// Why a question was declined.
    RefusalCode { NotInProgram = "NOT_IN_PROGRAM", PatientSpecific = "PATIENT_SPECIFIC", PhiDetected = "PHI_DETECTED" }
    /// The confidence in a word.
    ConfidenceLabel { High = "high", Moderate = "moderate", Low = "low" }
    /// The form of an item.
    ItemKind { MultipleChoice = "multiple_choice", TrueFalse = "true_false" }
    /// How hard an item is.
    Difficulty { Easy = "easy", Moderate = "moderate", Hard = "hard" }
    /// Where an item stands.
    ItemState { Draft = "draft", Approved = "approved", Rejected = "rejected" }
    /// How an item came about.
    ItemOrigin { Extractive = "extractive", Hand = "hand" }
    /// How far a request for items is.
    GenerationState { Waiting = "waiting", Reading = "reading", Composing = "composing", Done = "done", Failed = "failed" }
    /// What a person is by profession.
    Profession {
        Physician = "physician", PhysicianAssistant = "physician_assistant", NursePractitioner = "nurse_practitioner", Nurse = "nurse",
        Pharmacist = "pharmacist", Dentist = "dentist", Psychologist = "psychologist", Other = "other",
    }
    /// Who accredits providers.
    AccreditingBody { Accme = "accme", Ancc = "ancc", JointAccreditation = "joint_accreditation" }
    /// How a provider is accredited.
    AccreditationStatus { Accreditation = "accreditation", Commendation = "commendation", Provisional = "provisional", Probation = "probation" }
    /// What the operator of the platform found out about an accreditation.
    AccreditationState { Unconfirmed = "unconfirmed", Confirmed = "confirmed", Rejected = "rejected" }
    /// Where an attempt stands.
    AttemptState { UnderWay = "under_way", Failed = "failed", Passed = "passed" }
    /// When the right answers of an attempt are shown.
    Feedback { Later = "later", OnRequest = "on_request", Shown = "shown" }
    /// What several people state.
    ContestedThing { Npi = "npi", License = "license" }
    /// Whether it was decided whose it is.
    ContestState { Open = "open", Decided = "decided" }
    /// What a certificate recognizes.
    Recognition { Credit = "credit", Participation = "participation" }
    /// Where a credit stands.
    CreditState { Live = "live", Voided = "voided" }
    /// The paper of a certificate.
    PaperSize { Letter = "letter", A4 = "a4" }
    /// The paper that an org chose for its certificates; `usual` is that of its accrediting body.
    PaperSetting { Usual = "usual", Letter = "letter", A4 = "a4" }
    /// In which form a badge is sent.
    BadgeFormat { Badge = "badge", Jwt = "jwt", Both = "both" }
    /// Whether the certificate is signed.
    CertificateState { Preparing = "preparing", Ready = "ready" }
    /// What a member of staff may do.
    StaffRole { Admin = "admin", Editor = "editor", Reviewer = "reviewer", Analyst = "analyst", Auditor = "auditor", Supporter = "supporter" }
    /// Where a member of staff stands.
    StaffState { Invited = "invited", Active = "active", Suspended = "suspended", Removed = "removed" }
    /// What a credential opens.
    CredentialKind { Api = "api", Session = "session", Link = "link", Service = "service", Learner = "learner" }
    /// A credential that can be made.
    NewCredentialKind { Service = "service", Api = "api" }
    /// How far the reading of a file is.
    ProgressStage { Reading = "reading", Done = "done" }
    /// What a logo is drawn in.
    LogoType { Png = "image/png", Svg = "image/svg+xml" }
    /// What is claimed.
    CreditType { AmaPra1 = "ama_pra_1", AnccContactHour = "ancc_contact_hour" }
    /// What an activity is, in the terms of PARS.
    ActivityFormat {
        LiveCourse = "live_course", EnduringMaterial = "enduring_material", JournalBased = "journal_based", TestItemWriting = "test_item_writing",
        ManuscriptReview = "manuscript_review", PerformanceImprovement = "performance_improvement",
        InternetPointOfCare = "internet_point_of_care", LearningFromTeaching = "learning_from_teaching", Other = "other",
    }
}
