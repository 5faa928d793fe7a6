//! A certificate from facts to file and back, and everything that must not get through.

use std::collections::BTreeSet;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor_certificate::status::{self, StatusList, status_list};
use preceptor_certificate::verify::{Report, verify};
use preceptor_certificate::{
    Attachments, Details, Error, Facts, Fonts, IssuerKey, Layout, Logo, Paper, Published, Refusal,
    assemble_jwt, attach, credential, credential_sha256, hash_data, jwt_signing_input, print, proof_options,
    seal,
};
use preceptor_proto::events::v1::AuditRecord;
use preceptor_tlog::{LogKey, Proof};
use prost::Message as _;
use serde_json::{Map, Value, json};

const ISSUED: &str = "2026-11-24T10:00:05Z";
const NAME: &str = "Ana María Núñez‑Østergård";

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
        accreditation_statement: "Harbor Medical Education is accredited by the ACCME.".into(),
        designation_statement: "Designated for a maximum of 1.00 AMA PRA Category 1 Credit(s)™.".into(),
        log_key: log.to_string(),
        published: Some(Published {
            activity_url: "https://cme.example.org/activities/ABCDE01KB0000000000000000000000".into(),
            image_url: "https://cme.example.org/activities/ABCDE01KB0000000000000000000000/badge.svg".into(),
            issuer_url: "https://cme.example.org/issuers/ABCDE".into(),
        }),
        status: Some(status::Entry { list: LIST.into(), index: 94_321 }),
        details: Details {
            org: "Harbor Medical Education".into(),
            accreditation_confirmed: true,
            confirmed_at: ISSUED.into(),
            activity_id: "offer_01kb0000000000000000000000".into(),
            activity_number: "202712345".into(),
            provider_number: "0001234".into(),
            released_on: "2026-11-01T00:00:00Z".into(),
            reviewed_on: String::new(),
            terminates_on: "2029-10-31T00:00:00Z".into(),
            joint_providers: vec!["the Northern Lights Society".into()],
            moc_statements: vec![
                "Successful completion enables the participant to earn up to 0.75 MOC points.".into(),
            ],
            signatory_name: "Eleanor Whitfield, MD, PhD".into(),
            signatory_title: "Director of Continuing Medical Education".into(),
            logo: None,
        },
    }
}

const LIST: &str = "https://cme.example.org/v1/status-lists/ABCDE-1";

/// Facts of the time before certificates referred to anything public.
fn first_facts(log: &LogKey) -> Facts {
    Facts { published: None, status: None, details: Details::default(), ..facts(log) }
}

fn layout(paper: Paper) -> Layout {
    Layout { paper, fonts: Fonts::own(), voided_at: None }
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
    make_of(Facts { name: name.to_owned(), ..facts(&log_key) }, signer, log)
}

fn make_of(facts: Facts, signer: &Signer, log: &Signer) -> Made {
    let log_key: LogKey = facts.log_key.parse().expect("a key");
    let unsigned = credential(&facts, &signer.key);
    let input = jwt_signing_input(&unsigned, &signer.key, 1_795_514_405).expect("a JWT");
    let jwt = assemble_jwt(&input, signer.pair.sign(input.as_bytes()).as_ref());
    let mut record = AuditRecord { action: "certificate.issued".into(), ..AuditRecord::default() };
    record.facts.insert(
        "credential_sha256".into(),
        credential_sha256(&Value::Object(unsigned.clone())).expect("a hash"),
    );
    record.facts.insert("signing_key".into(), signer.key.multikey());
    let record = record.encode_to_vec();
    let root = tlog_tiles::tlog::record_hash(&record);
    let text = log_key.checkpoint_text(1, &root.0);
    let proof = Proof {
        index: 0,
        hashes: Vec::new(),
        checkpoint: log_key.checkpoint(&text, log.pair.sign(text.as_bytes()).as_ref()),
    };
    let signed = sign(unsigned, signer);
    Made {
        attachments: Attachments {
            credential: signed.to_string(),
            jwt,
            proof: proof.to_string(),
            record,
            status_list: None,
        },
        signed,
        facts,
    }
}

/// A document with its proof.
fn sign(unsigned: Map<String, Value>, signer: &Signer) -> Value {
    let options = proof_options(&signer.key, ISSUED);
    let data = hash_data(&Value::Object(unsigned.clone()), &options).expect("a hash");
    let mut signed = unsigned;
    attach(&mut signed, options, signer.pair.sign(&data).as_ref());
    Value::Object(signed)
}

fn file(made: &Made, signer: &Signer) -> Vec<u8> {
    let content = print(&made.facts, &made.attachments, &layout(Paper::Letter)).expect("a PDF");
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
    assert_eq!(
        (report.name.as_str(), report.log, report.pinned),
        (format!("{NAME}, MD").as_str(), Some((0, 1)), true)
    );
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
    signed["proof"][0]["verificationMethod"] = Value::String(thief.key.method());
    assert!(matches!(refused(verify(signed.to_string().as_bytes(), None)), Refusal::OtherKey { .. }));
    // Anyone who knows the provider's key refuses what the thief made throughout.
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
    let input = jwt_signing_input(&unsigned, &signer.key, 1_795_514_405).expect("a JWT");
    made.attachments.jwt = assemble_jwt(&input, signer.pair.sign(input.as_bytes()).as_ref());
    made.attachments.credential = sign(unsigned, &signer).to_string();
    assert_eq!(refused(verify(&file(&made, &signer), None)), Refusal::OtherRecord);
}

#[test]
fn a_name_that_no_font_has_is_whole_in_what_is_signed_and_never_printed_otherwise() {
    let (signer, log) = (signer(), signer());
    let stated = "Zoë 漢字 🩺";
    let made = make_for(stated, &signer, &log);
    let badge = verify(made.attachments.credential.as_bytes(), Some(&signer.key)).expect("it holds");
    assert_eq!(badge.name, format!("{stated}, MD"));
    let Err(Error::NotPrintable(missing)) = print(&made.facts, &made.attachments, &layout(Paper::A4)) else {
        panic!("it is printed")
    };
    assert_eq!(missing.0, ['字', '漢', '🩺']);
}

#[test]
fn the_sheet_of_a_voided_certificate_carries_the_list_that_says_so() {
    let (signer, log) = (signer(), signer());
    let mut made = make(&signer, &log);
    let entry = made.facts.status.clone().expect("a place");
    let list = sign(status_list(&entry.list, &signer.key, [entry.index], ISSUED), &signer);
    made.attachments.status_list = Some(list.to_string());
    let usual = file(&made, &signer);
    let marked = Layout { voided_at: Some("2026-11-27T10:00:00Z".into()), ..layout(Paper::Letter) };
    let content = print(&made.facts, &made.attachments, &marked).expect("a PDF");
    let pdf = seal::close(&content, &signer.key, signer.pair.sign(&seal::message(&content)).as_ref());
    let pdf = pdf.expect("a seal");
    assert_ne!(pdf, usual);
    let report = verify(&pdf, Some(&signer.key)).expect("it holds");
    assert_eq!(report.status_list.as_ref().and_then(|list| list.is_void(&entry)), Some(true));
    // A list that is none makes the whole file one that was not issued here.
    made.attachments.status_list = Some("{}".into());
    assert!(matches!(refused(verify(&file(&made, &signer), None)), Refusal::NoList(_)));
}

#[test]
fn a_text_that_is_not_what_it_looks_like_is_never_printed() {
    type Change = fn(&mut Facts, String);
    let (signer, log) = (signer(), signer());
    let log_key = LogKey::new("audit.example.org/org_1", *log.key.bytes());
    let places: [(&str, Change); 12] = [
        ("name", |facts, text| facts.name = text),
        ("degree", |facts, text| facts.degree = text),
        ("provider", |facts, text| facts.provider = text),
        ("activity", |facts, text| facts.activity = text),
        ("accreditation_statement", |facts, text| facts.accreditation_statement = text),
        ("org", |facts, text| facts.details.org = text),
        ("joint_providers", |facts, text| facts.details.joint_providers = vec![text]),
        ("moc_statements", |facts, text| facts.details.moc_statements = vec![text]),
        ("signatory_name", |facts, text| facts.details.signatory_name = text),
        ("signatory_title", |facts, text| facts.details.signatory_title = text),
        ("activity_number", |facts, text| facts.details.activity_number = text),
        ("provider_number", |facts, text| facts.details.provider_number = text),
    ];
    for (field, change) in places {
        for bad in ["Ada \u{202e}ecalevoL", "Ada\u{200b} Lovelace", "\u{2066}", "Ada\nLovelace"] {
            let mut facts = facts(&log_key);
            change(&mut facts, bad.to_owned());
            let made = make_of(facts, &signer, &log);
            let refused = print(&made.facts, &made.attachments, &layout(Paper::A4));
            let Err(Error::NotAsItLooks { field: found, .. }) = refused else {
                panic!("{bad:?} is printed as {field}")
            };
            assert_eq!(found, field);
        }
    }
    let mut mixed = facts(&log_key);
    mixed.details.signatory_name = "Rosa \u{410}lvarez".into();
    assert!(matches!(mixed.check(), Err(Error::NotAsItLooks { field: "signatory_name", .. })));
}

/// Every place of a document, as a JSON pointer.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    for (name, value) in value.as_object().into_iter().flatten() {
        places(value, &format!("{place}/{}", name.replace('/', "~1")), found);
    }
    for (number, value) in value.as_array().into_iter().flatten().enumerate() {
        places(value, &format!("{place}/{number}"), found);
    }
}

fn altered(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}x")),
        Value::Number(number) => json!(number.as_f64().expect("a number") + 1.0),
        Value::Bool(yes) => json!(!yes),
        Value::Object(fields) => fields
            .iter()
            .skip(1)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().skip(1).cloned().collect(),
        Value::Null => json!(0),
    }
}

/// The same value, or almost the same, in another form.
fn other_forms(value: &Value) -> Vec<Value> {
    let mut forms = vec![
        json!([value]),
        json!([value, value]),
        json!([[value]]),
        json!({ "@value": value }),
        json!({ "@value": value, "@language": "en" }),
        json!({ "@set": [value] }),
        json!({ "@list": [value] }),
        json!({ "@graph": [value] }),
        json!({ "@id": value }),
        Value::Null,
        altered(value),
    ];
    match value {
        Value::Object(fields) => {
            let renamed = |name: &str, other: &str| {
                let name_of = |own: &String| if own == name { other.to_owned() } else { own.clone() };
                fields.iter().map(|(own, value)| (name_of(own), value.clone())).collect::<Map<_, _>>()
            };
            for name in fields.keys() {
                forms.push(renamed(name, &format!("@{name}")).into());
                forms.push(renamed(name, &format!("schema:{name}")).into());
            }
            for (name, more) in [
                ("extra", json!("x")),
                ("@context", json!({})),
                ("@graph", json!([value])),
                ("name", json!("Someone else")),
            ] {
                let mut fields = fields.clone();
                fields.insert(name.to_owned(), more);
                forms.push(fields.into());
            }
        }
        Value::Array(items) => {
            forms.extend(items.first().cloned());
            forms.push(
                items
                    .iter()
                    .chain([&json!({ "type": ["Result"], "status": "Completed" })])
                    .cloned()
                    .collect(),
            );
            forms.push(items.iter().chain(items).cloned().collect());
        }
        Value::String(text) => forms.extend([json!(text.to_uppercase()), json!({ "type": text })]),
        Value::Number(number) => forms.push(json!(number.to_string())),
        _ => {}
    }
    forms.retain(|form| form != value);
    forms
}

#[test]
fn whatever_is_altered_or_written_in_another_form_is_refused() {
    let (signer, log) = (signer(), signer());
    let log_key = LogKey::new("audit.example.org/org_1", *log.key.bytes());
    for facts in [facts(&log_key), first_facts(&log_key)] {
        let signed = make_of(facts, &signer, &log).signed;
        let mut found = Vec::new();
        places(&signed, "", &mut found);
        let (mut tried, mut reasons) = (0, BTreeSet::new());
        for place in &found {
            for form in other_forms(signed.pointer(place).expect("a place")) {
                // One proof may stand without its list: that is how the first badges were made.
                if place == "/proof" && form == signed["proof"][0] {
                    continue;
                }
                let mut changed = signed.clone();
                *changed.pointer_mut(place).expect("a place") = form;
                match verify(changed.to_string().as_bytes(), None) {
                    Ok(report) => panic!("{place} is read as {report:?}\n{changed}"),
                    Err(reason) => {
                        reasons.insert(format!("{reason:?}").chars().take(12).collect::<String>());
                    }
                }
                tried += 1;
            }
        }
        assert!(tried > 900, "{tried} forms");
        // The signature covers the graph, and some other forms are the same graph: what refuses those is the form.
        assert!(reasons.contains("OtherForm") && reasons.contains("BadgeChanged"), "{reasons:?}");
    }
}

#[test]
fn a_property_that_stands_twice_is_refused() {
    let (signer, log) = (signer(), signer());
    let made = make(&signer, &log);
    let text = &made.attachments.credential;
    let twice = text.replacen("\"identityHash\":", "\"identityHash\":\"Someone Else\",\"identityHash\":", 1);
    assert!(matches!(refused(verify(twice.as_bytes(), None)), Refusal::Unreadable(_)), "{twice}");
}

#[test]
fn another_form_is_refused_even_when_the_provider_signed_it() {
    let (signer, log) = (signer(), signer());
    let made = make(&signer, &log);
    let mut unsigned = credential(&made.facts, &signer.key);
    unsigned["credentialSubject"] = json!([unsigned["credentialSubject"]]);
    assert_eq!(
        refused(verify(sign(unsigned.clone(), &signer).to_string().as_bytes(), None)),
        Refusal::OtherForm
    );
    let input = jwt_signing_input(&credential(&made.facts, &signer.key), &signer.key, 1).expect("a JWT");
    let jwt = assemble_jwt(&input, signer.pair.sign(input.as_bytes()).as_ref());
    assert_eq!(
        refused(verify(jwt.as_bytes(), None)),
        Refusal::OtherForm,
        "it counts from another moment than the badge says"
    );
}

#[test]
fn the_first_certificates_still_verify_and_name_no_list() {
    let (signer, log) = (signer(), signer());
    let made = make_of(first_facts(&LogKey::new("audit.example.org/org_1", *log.key.bytes())), &signer, &log);
    let mut bare = made.signed.clone();
    bare["proof"] = made.signed["proof"][0].clone();
    for text in [made.signed.to_string(), bare.to_string()] {
        let report = verify(text.as_bytes(), Some(&signer.key)).expect("it holds");
        assert_eq!((report.code, report.status), (made.facts.code.clone(), None));
    }
    assert!(verify(&file(&made, &signer), None).is_ok());
}

#[test]
fn a_badge_is_taken_as_it_is_downloaded_in_each_of_its_forms() {
    let (signer, log) = (signer(), signer());
    let made = make(&signer, &log);
    let both = json!({ "credential": made.signed, "jwt": made.attachments.jwt });
    let report = verify(both.to_string().as_bytes(), Some(&signer.key)).expect("it holds");
    assert_eq!(report.code, "ABCDE-FGHJK-MNPQR-STVWX-YZ234-5");
    let others =
        json!({ "credential": made.signed, "jwt": make_for("Someone Else", &signer, &log).attachments.jwt });
    assert_eq!(refused(verify(others.to_string().as_bytes(), None)), Refusal::JwtChanged);
    // Numbers as a program in JavaScript writes them.
    let whole = make_of(Facts { quarters: 4, ..made.facts }, &signer, &log).signed.to_string();
    let rewritten = whole.replace("\"creditsEarned\":1.0", "\"creditsEarned\":1");
    assert_ne!(whole, rewritten);
    verify(rewritten.as_bytes(), None).expect("it holds");
}

#[test]
fn the_structure_is_the_one_that_open_badges_asks_for() {
    let (signer, log) = (signer(), signer());
    let signed = make(&signer, &log).signed;
    assert!(signed["proof"].as_array().is_some_and(|proofs| proofs.len() == 1));
    let subject = &signed["credentialSubject"];
    let achievement = &subject["achievement"];
    for kind in [&signed["type"], &signed["issuer"]["type"], &subject["type"], &achievement["type"]] {
        assert!(kind.as_array().is_some_and(|kinds| kinds.iter().all(Value::is_string)), "{kind}");
    }
    let urls = [
        &signed["id"],
        &achievement["id"],
        &achievement["image"]["id"],
        &signed["credentialStatus"]["id"],
        &signed["issuer"]["url"],
    ];
    assert!(urls.iter().all(|url| url.as_str().is_some_and(|url| url.starts_with("https://"))), "{urls:?}");
    assert_eq!(achievement["image"]["type"], "Image");
    assert_eq!(signed["credentialStatus"]["type"], "BitstringStatusListEntry");
    assert!(signed["credentialStatus"]["statusListIndex"].is_string());
    // Nothing in the achievement tells one certificate of the activity from another.
    let other = make_for("Someone Else", &signer, &log).signed;
    assert_eq!(*achievement, other["credentialSubject"]["achievement"]);
    assert!(!achievement.to_string().contains("FGHJK"), "{achievement}");
}

#[test]
fn a_list_says_who_is_void_and_is_refused_when_it_was_changed() {
    let (signer, log) = (signer(), signer());
    let entry = facts(&LogKey::new("audit.example.org/org_1", *log.key.bytes())).status.expect("a place");
    let signed = sign(status_list(LIST, &signer.key, [entry.index, 5], ISSUED), &signer);
    for (name, document) in [("status-list", &signed), ("badge", &make(&signer, &log).signed)] {
        // For programs of others, which are tried by hand.
        std::fs::write(format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR")), document.to_string())
            .expect("a file");
    }
    let list = StatusList::read(signed.to_string().as_bytes()).expect("a list");
    assert_eq!((list.key, list.made_at.as_str()), (signer.key, ISSUED));
    let at = |index| list.is_void(&status::Entry { index, ..entry.clone() });
    assert_eq!([at(entry.index), at(5), at(6), at(0)], [Some(true), Some(true), Some(false), Some(false)]);
    assert_eq!(list.is_void(&status::Entry { list: "https://elsewhere.example/l".into(), index: 5 }), None);

    let none = sign(status_list(LIST, &signer.key, [], ISSUED), &signer);
    let mut changed = signed.clone();
    changed["credentialSubject"]["encodedList"] = none["credentialSubject"]["encodedList"].clone();
    assert_eq!(
        StatusList::read(changed.to_string().as_bytes()).expect_err("another list's bits"),
        Refusal::BadgeChanged
    );
    assert!(
        matches!(refused(verify(signed.to_string().as_bytes(), None)), Refusal::NotOne(said) if said.contains("--status-list"))
    );
}

#[test]
fn what_is_no_certificate_is_named_as_what_it_is() {
    let (signer, log) = (signer(), signer());
    let made = make(&signer, &log);
    let said = |file: &[u8]| refused(verify(file, None)).to_string();
    assert!(said(b"").contains("empty") && said(b" \n").contains("empty"));
    assert!(
        said(made.attachments.proof.as_bytes()).contains("proof of a log"),
        "{}",
        said(made.attachments.proof.as_bytes())
    );
    for file in [b"hello".as_slice(), b"a.b.c", b"\x7fELF\xff", b"<svg/>"] {
        assert!(said(file).contains("neither a PDF, nor a badge in JSON, nor a JWT"), "{}", said(file));
    }
    assert!(said(b"{}").contains("no proof"), "{}", said(b"{}"));
}

#[test]
fn every_paper_and_every_length_of_text_fits_on_one_sheet() {
    let (signer, log) = (signer(), signer());
    let mut made = make(&signer, &log);
    for paper in [Paper::Letter, Paper::A4] {
        for times in [1, 8] {
            made.facts.activity = "Anticoagulants in older adults ".repeat(times);
            made.facts.details.moc_statements =
                vec!["Completion enables the participant to earn up to 0.75 MOC points.".into(); times];
            made.facts.details.accreditation_confirmed = times == 1;
            let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 1"><rect width="4" height="1"/></svg>"#;
            made.facts.details.logo =
                Some(Logo { media_type: "image/svg+xml".into(), base64: STANDARD.encode(svg) });
            let content = print(&made.facts, &made.attachments, &layout(paper)).expect("a PDF");
            // Anyone who wants to look at them finds them with the build.
            std::fs::write(format!("{}/{}-{times}.pdf", env!("CARGO_TARGET_TMPDIR"), paper.name()), &content)
                .expect("a file");
            assert!(String::from_utf8_lossy(&content).contains("pdfuaid"), "it says that it is PDF/UA");
            assert_eq!(hayro_syntax::Pdf::new(content).expect("a PDF").pages().len(), 1, "{paper:?} {times}");
        }
    }
}

#[test]
fn a_logo_that_cannot_be_set_is_known_before_any_certificate() {
    let check = |kind: &str, content: &[u8]| {
        let logo = Logo { media_type: kind.into(), base64: STANDARD.encode(content) };
        preceptor_certificate::check_logo(&logo, &Fonts::own())
    };
    check(
        "image/svg+xml",
        br#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 1"><rect width="4" height="1"/></svg>"#,
    )
    .expect("a logo");
    check("image/png", b"\x89PNG\r\n\x1a\nbroken").expect_err("no picture");
    check("image/svg+xml", b"<svg").expect_err("no drawing");
}
