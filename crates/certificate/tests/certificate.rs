//! A certificate from facts to file and back, and everything that must not get through.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use preceptor_certificate::verify::{Report, verify};
use preceptor_certificate::{
    Attachments, Facts, IssuerKey, Refusal, assemble_jwt, attach, credential, credential_sha256, hash_data, jwt_signing_input, print,
    proof_options, seal,
};
use preceptor_proto::events::v1::AuditRecord;
use preceptor_tlog::{LogKey, Proof};
use prost::Message as _;
use serde_json::Value;

const ISSUED: &str = "2026-11-24T10:00:05Z";
const NAME: &str = "Ana María Núñez‑Østergård שרה נור الهدى";

struct Signer {
    pair: Ed25519KeyPair,
    key: IssuerKey,
}

fn signer() -> Signer {
    let pair = Ed25519KeyPair::generate().expect("random numbers");
    let key = IssuerKey::new(pair.public_key().as_ref().try_into().expect("32 bytes"));
    Signer { pair, key }
}

fn facts(log: &LogKey) -> Facts {
    Facts {
        certificate_id: "cert_01kb0000000000000000000000".into(),
        subject_uuid: "0f4f2a34-5c3c-4a1a-8f8f-7a1d8f1f9b02".into(),
        code: "ABCDE-FGHJK-MNPQR-STVWX-YZ234-5".into(),
        verify_url: "https://cme.example.org/verify/ABCDEFGHJKMNPQRSTVWXYZ2345".into(),
        name: NAME.into(),
        degree: "MD".into(),
        provider: "Harbor Medical Education".into(),
        activity: "Anticoagulants in older adults®".into(),
        format: "enduring material".into(),
        credit_name: "AMA PRA Category 1 Credit(s)™".into(),
        quarters: 3,
        designated_quarters: 4,
        is_credit: true,
        participation: String::new(),
        completed_at: "2026-11-24T09:59:00Z".into(),
        issued_at: ISSUED.into(),
        accreditation_statement: "The Harbor Medical Education is accredited by the ACCME.".into(),
        designation_statement: "Designated for a maximum of 1.00 AMA PRA Category 1 Credit(s)™.".into(),
        log_key: log.to_string(),
    }
}

/// A certificate's parts, signed by `signer` and logged under `log`.
struct Made {
    facts: Facts,
    signed: Value,
    attachments: Attachments,
}

fn make(signer: &Signer, log: &Signer) -> Made {
    make_for(NAME, signer, log)
}

fn make_for(name: &str, signer: &Signer, log: &Signer) -> Made {
    let log_key = LogKey::new("audit.example.org/org_1", *log.key.bytes());
    let facts = Facts { name: name.to_owned(), ..facts(&log_key) };
    let unsigned = credential(&facts, &signer.key);
    let options = proof_options(&signer.key, ISSUED);
    let data = hash_data(&Value::Object(unsigned.clone()), &options).expect("a hash");
    let input = jwt_signing_input(&unsigned, &signer.key, 1_795_514_405).expect("a JWT");
    let jwt = assemble_jwt(&input, signer.pair.sign(input.as_bytes()).as_ref());
    let mut record = AuditRecord { action: "certificate.issued".into(), ..AuditRecord::default() };
    record.facts.insert("credential_sha256".into(), credential_sha256(&Value::Object(unsigned.clone())).expect("a hash"));
    record.facts.insert("signing_key".into(), signer.key.multikey());
    let record = record.encode_to_vec();
    let root = tlog_tiles::tlog::record_hash(&record);
    let text = log_key.checkpoint_text(1, &root.0);
    let proof = Proof { index: 0, hashes: Vec::new(), checkpoint: log_key.checkpoint(&text, log.pair.sign(text.as_bytes()).as_ref()) };
    let mut signed = unsigned;
    attach(&mut signed, options, signer.pair.sign(&data).as_ref());
    let signed = Value::Object(signed);
    Made { attachments: Attachments { credential: signed.to_string(), jwt, proof: proof.to_string(), record }, signed, facts }
}

fn file(made: &Made, signer: &Signer) -> Vec<u8> {
    let content = print(&made.facts, &signer.key, &made.attachments).expect("a PDF");
    let signature = signer.pair.sign(&seal::message(&content));
    seal::close(&content, &signer.key, signature.as_ref()).expect("a seal")
}

fn refused(outcome: Result<Report, Refusal>) -> Refusal {
    outcome.expect_err("it is refused")
}

#[test]
fn a_certificate_proves_itself() {
    let (signer, log) = (signer(), signer());
    let made = make(&signer, &log);
    let file = file(&made, &signer);
    let report = verify(&file, Some(&signer.key)).expect("it holds");
    assert_eq!((report.name.as_str(), report.log, report.pinned), (format!("{NAME}, MD").as_str(), Some((0, 1)), true));
    assert_eq!(report.award, "0.75 AMA PRA Category 1 Credit(s)™");
    for part in [made.attachments.credential.as_bytes(), made.attachments.jwt.as_bytes()] {
        let alone = verify(part, None).expect("it holds");
        assert_eq!((alone.code.as_str(), alone.key, alone.log), (report.code.as_str(), signer.key, None));
    }
}

#[test]
fn the_same_certificate_is_the_same_file() {
    let (signer, log) = (signer(), signer());
    let made = make(&signer, &log);
    assert_eq!(file(&made, &signer), file(&made, &signer));
}

#[test]
fn any_changed_byte_is_refused() {
    let (signer, log) = (signer(), signer());
    let made = make(&signer, &log);
    let file = file(&made, &signer);
    // Every byte of the seal, and a sample of all others.
    let places = (0..file.len()).step_by(997).chain(file.len() - 250..file.len());
    for place in places {
        let mut changed = file.clone();
        changed[place] ^= 1;
        verify(&changed, None).expect_err("a changed byte");
    }
    verify(&file[..file.len() - 1], None).expect_err("a missing byte");
    verify(&[file.as_slice(), b"\n"].concat(), None).expect_err("another byte");
    for text in [&made.attachments.credential, &made.attachments.jwt] {
        for place in (0..text.len()).step_by(7) {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'a' { b'b' } else { b'a' };
            if changed != text.as_bytes() {
                assert!(verify(&changed, Some(&signer.key)).is_err(), "byte {place} of {text}");
            }
        }
    }
}

#[test]
fn a_proof_from_another_log_is_refused() {
    let (signer, log, other) = (signer(), signer(), signer());
    let mut made = make(&signer, &log);
    made.attachments.proof = make(&signer, &other).attachments.proof;
    assert_eq!(refused(verify(&file(&made, &signer), None)), Refusal::Log(preceptor_tlog::Refusal::Unsigned));
}

#[test]
fn a_badge_signed_again_with_another_key_is_refused() {
    let (signer, log, thief) = (signer(), signer(), signer());
    let honest = make(&signer, &log);
    // The whole file by the thief's key, with the honest log's record and proof.
    let mut stolen = make(&thief, &log);
    stolen.attachments.record.clone_from(&honest.attachments.record);
    stolen.attachments.proof.clone_from(&honest.attachments.proof);
    let reason = refused(verify(&file(&stolen, &thief), None));
    assert_eq!(reason, Refusal::OtherKey { found: thief.key.multikey(), expected_by: "log's record" });
    // Only the badge's proof by the thief's key.
    let mut signed = honest.signed.clone();
    signed["proof"]["verificationMethod"] = Value::String(thief.key.method());
    assert!(matches!(refused(verify(signed.to_string().as_bytes(), None)), Refusal::OtherKey { .. }));
    // Whoever knows the provider's key refuses what the thief made throughout.
    let made = make(&thief, &thief);
    assert!(verify(&file(&made, &thief), None).is_ok(), "it is consistent in itself");
    assert!(matches!(refused(verify(&file(&made, &thief), Some(&signer.key))), Refusal::OtherKey { .. }));
}

#[test]
fn another_certificates_record_is_refused() {
    let (signer, log) = (signer(), signer());
    let mut made = make(&signer, &log);
    made.facts.quarters = 4;
    let unsigned = credential(&made.facts, &signer.key);
    let options = proof_options(&signer.key, ISSUED);
    let data = hash_data(&Value::Object(unsigned.clone()), &options).expect("a hash");
    let input = jwt_signing_input(&unsigned, &signer.key, 1_795_514_405).expect("a JWT");
    made.attachments.jwt = assemble_jwt(&input, signer.pair.sign(input.as_bytes()).as_ref());
    let mut signed = unsigned;
    attach(&mut signed, options, signer.pair.sign(&data).as_ref());
    made.attachments.credential = Value::Object(signed).to_string();
    assert_eq!(refused(verify(&file(&made, &signer), None)), Refusal::OtherRecord);
}

#[test]
fn a_name_that_no_font_has_is_kept_whole_in_what_is_signed() {
    let (signer, log) = (signer(), signer());
    let stated = "Zoë 漢字 🩺 ليلى";
    let made = make_for(stated, &signer, &log);
    let report = verify(&file(&made, &signer), Some(&signer.key)).expect("it holds");
    assert_eq!(report.name, format!("{stated}, MD"));
    let badge = verify(made.attachments.credential.as_bytes(), Some(&signer.key)).expect("it holds");
    assert_eq!(badge.name, report.name);
}
