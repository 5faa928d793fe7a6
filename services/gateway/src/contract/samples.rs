//! What texts look like in examples, by the names of their fields: the same program, people and files everywhere, so that the
//! examples of several operations are of one story.

use super::nouns::FIELDS;

/// The part of an id behind its prefix.
const NUMBER: &str = "01k9w0x5c8f3v9q2d7t4m6n8rz";
/// A SHA-256 in hex.
const HEX: &str = "545534a9e66e64b8cfda44abd9df06e7ca7995968ef88318428e994045e5baba";
/// A SHA-256 in base 64.
const BASE64: &str = "ujJGfMd8bFWamgIrxZ2lSAo7DVeFIJZMj5KeYP42l2M=";
/// A sentence of a source.
const SENTENCE: &str = "The usual dose of apixaban is 5 mg twice daily.";
/// The key of a log (C2SP signed-note).
const LOG_KEY: &str = "audit.learn.example.org/org_01k9w0x5c8f3v9q2d7t4m6n8rz+f0dd321a+\
    AXUUFSuDI9xlneEn69wt6l+yqE/bq9Z/f5GHW92P2x4D";

/// Fields that hold an id under another name than those of requests, with its prefix.
const IDS: &[(&str, &str)] = &[
    ("asked_by", "staff"),
    ("attempt_id", "att"),
    ("author", "staff"),
    ("closed_by", "staff"),
    ("created_by", "staff"),
    ("credit_id", "cred"),
    ("decided_by", "staff"),
    ("designated_by", "staff"),
    ("acting", "staff"),
    ("actor", "staff"),
    ("frozen_by", "staff"),
    ("id", "msg"),
    ("org_id", "org"),
    ("parent_id", "key"),
    ("passage_id", "psg"),
    ("program_version_id", "progv"),
    ("recorded_by", "staff"),
    ("reviewer", "staff"),
    ("set_by", "staff"),
    ("source_version_id", "srcv"),
    ("verification_id", "ver"),
    ("version_id", "srcv"),
];

/// What other texts look like.
const TEXTS: &[(&str, &str)] = &[
    ("accreditation_notice", "This accreditation was recorded by the provider and is not confirmed yet."),
    (
        "accreditation_statement",
        "Harbor Medical Education is accredited by the Accreditation Council for Continuing Medical Education (ACCME) \
         to provide continuing medical education for physicians.",
    ),
    ("activity_number", "2026-0117"),
    ("activity_title", "Safe use of anticoagulants"),
    ("activity_url", "https://learn.example.org/activities/9Q2D7T4M6N8RZ1K9W0X5C8F3V9Q2D7T"),
    ("admin_token", "pk_api_…"),
    ("change", "I check the kidney function before I choose a dose"),
    (
        "checkpoint",
        "audit.learn.example.org/org_01k9w0x5c8f3v9q2d7t4m6n8rz\n1140\nujJGfMd8bFWamgIrxZ2lSAo7DVeFIJZMj5KeYP42l2M=\n\n\
         — audit.learn.example.org/org_01k9w0x5c8f3v9q2d7t4m6n8rz 8N0yGo8w…\n",
    ),
    ("code", "9Q2D7T4M6N8RZ1K9W0X5C8F3V9Q2D7T"),
    ("comment", "Clear, and the passage says just that"),
    ("composer", "extractive-1"),
    ("confirm", "pk_api_…"),
    ("confirmed_names", "Harbor Medical Education"),
    ("credit_name", "AMA PRA Category 1 Credit(s)™"),
    ("degree", "MD"),
    (
        "designation_statement",
        "Harbor Medical Education designates this enduring material for a maximum of 0.75 AMA PRA Category 1 Credit(s)™. \
         Physicians should claim only the credit commensurate with the extent of their participation in the activity.",
    ),
    ("detail", "a code that was sent to the address came back"),
    ("doi", "10.1371/journal.pmed.1001518"),
    ("email", "ada@example.org"),
    ("evidence", "Public list of the accreditor, 2026-11-24: accredited until 2028-07-01"),
    ("explanation", SENTENCE),
    ("external_id", "lecture-7"),
    ("feedback", "helpful"),
    ("file_name", "doses.md"),
    ("finding", "found"),
    ("hashes", BASE64),
    ("heading", "Doses"),
    ("issuer_url", "https://learn.example.org/issuers/9Q2D7T4M6N8RZ1K9W0X5C8F3V9Q2D7T"),
    ("joint_providers", "Northwind Medical Education"),
    ("jwt", "eyJhbGciOiJFZERTQSJ9…"),
    ("key", "NOT_IN_PROGRAM"),
    ("kind", "source_retracted"),
    ("leaf_hash", BASE64),
    ("learner", "learner_78cb945cb1befe3097ef296fcd6fc6aa"),
    ("learner_token", "pk_learner_…"),
    ("license_board", "Medical Board of California"),
    ("license_expires", "2027-07-01"),
    ("license_number", "MD12345"),
    ("licensed_since", "2015-07-01"),
    ("log_key", LOG_KEY),
    ("message", "No passage of this program answers the question."),
    ("method", "email"),
    ("moc_statements", "Successful completion enables the participant to earn up to 0.75 MOC points."),
    ("name", "Ada Lovelace"),
    ("names", "Harbor Medical Education"),
    ("next_cursor", "pbzVjdyhx1WkKkc0_0m6djE"),
    ("next_step", "add your NPI, so that the registry can confirm it"),
    ("note", "2 of 3 sources were read"),
    ("notes", "2 pictures of this file are not shown"),
    ("notice", "The content of this activity comes from sources that were verified on the day of the quiz."),
    ("npi", "1234567893"),
    ("objective", "Adjust the dose to kidney function"),
    ("org_name", "Harbor Medical Education"),
    ("origin", "audit.learn.example.org/org_01k9w0x5c8f3v9q2d7t4m6n8rz"),
    ("outcome", "Replaced by the republished article"),
    ("pmid", "22663011"),
    ("problem", "The index was not ready in time; publish again."),
    ("producer", "answering"),
    ("program_title", "Safe use of anticoagulants"),
    ("provider", "Harbor Medical Education"),
    ("provider_number", "0001234"),
    ("question", "What is the usual dose of apixaban?"),
    ("quote", SENTENCE),
    ("reason", "Checked against the guideline of 2026"),
    ("record", "Ch5ldnRfMDFtOGcyMHc0NWU1MXM1NDc2djR6…"),
    ("request", "works/10.1371%2Fjournal.pmed.1001518"),
    ("root", BASE64),
    ("secret", "pk_service_…"),
    ("signatory_name", "Rita Reviewer"),
    ("signatory_title", "Director of Education"),
    ("signing_key", "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"),
    ("source_classes", "guideline"),
    ("source_title", "Doses of apixaban"),
    ("specialty", "Cardiology"),
    ("statement", "Reviewed by two cardiologists against the 2026 guideline"),
    ("status_list_url", "https://learn.example.org/v1/status-lists/9Q2D7T4M6N8RZ1K9W0X5C8F3V9Q2D7T4"),
    ("stem", "What is the usual dose of apixaban?"),
    ("subject", "learner_78cb945cb1befe3097ef296fcd6fc6aa"),
    ("summary", "A lecture, a slide deck and an article on anticoagulants for atrial fibrillation."),
    ("text", SENTENCE),
    ("title", "Safe use of anticoagulants"),
    ("token", "pk_api_…"),
    ("unprintable_scripts", "Devanagari"),
    ("upheld", "learner_78cb945cb1befe3097ef296fcd6fc6aa"),
    ("url", "https://learn.example.org/"),
    ("void_reason", "The attempt was made by someone else"),
];

/// An id of a prefix.
pub(super) fn id(prefix: &str) -> String {
    format!("{prefix}_{NUMBER}")
}

/// What the text of a field looks like, where its name says so.
pub(super) fn of(name: &str) -> Option<String> {
    if let Some((_, prefix)) = FIELDS.iter().chain(IDS).find(|(field, _)| *field == name) {
        return Some(id(prefix));
    }
    if name == "sha256" || name.ends_with("_sha256") {
        return Some(HEX.to_owned());
    }
    TEXTS.iter().find(|(field, _)| *field == name).map(|(_, text)| (*text).to_owned())
}
