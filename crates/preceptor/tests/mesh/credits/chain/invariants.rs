//! What has to hold of every row, by joins that know nothing of the constraints. Each query gives the rows that do not.

use sea_orm::DbBackend;

/// `whole(x)` stands for "is a whole number": SQLite keeps fractions in integer columns.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "an award without its entry",
        "SELECT 1 FROM credits_award a WHERE NOT EXISTS (SELECT 1 FROM credits_ledger l WHERE l.org_id = a.org_id AND l.award_id = a.id AND l.kind = 'award' AND l.entry = a.entry AND l.learner = a.learner AND l.program_id = a.program_id AND l.credit_type = a.credit_type)",
    ),
    (
        "an award without a passed result of its learner",
        "SELECT 1 FROM credits_award a WHERE NOT EXISTS (SELECT 1 FROM credits_result r WHERE r.org_id = a.org_id AND r.attempt_id = a.attempt_id AND r.form_id = a.form_id AND r.learner = a.learner AND r.program_id = a.program_id AND r.policy_id = a.policy_id AND r.passed AND r.started_at = a.started_at AND r.completed_at = a.quiz_completed_at AND r.content_verified_at = a.content_verified_at AND a.passed)",
    ),
    (
        "an award outside its offer",
        "SELECT 1 FROM credits_award a WHERE NOT EXISTS (SELECT 1 FROM credits_offer o WHERE o.org_id = a.org_id AND o.id = a.offer_id AND o.program_id = a.program_id AND o.credit_type = a.credit_type AND o.policy_id = a.policy_id AND o.designated_quarters = a.designated_quarters AND o.opens_at = a.opens_at AND o.terminates_at = a.terminates_at AND o.evaluation_required = a.evaluation_required AND o.minimum_level = a.minimum_level AND o.accreditation_from = a.accreditation_from AND o.accreditation_until = a.accreditation_until AND a.quarters BETWEEN 1 AND o.designated_quarters AND whole(a.quarters) AND a.started_at >= o.opens_at AND a.quiz_completed_at <= o.terminates_at AND a.issued_at <= o.terminates_at AND a.issued_at >= a.quiz_completed_at)",
    ),
    (
        "an award without accreditation",
        "SELECT 1 FROM credits_award a JOIN credits_offer o ON o.org_id = a.org_id AND o.id = a.offer_id WHERE NOT EXISTS (SELECT 1 FROM credits_accreditation p WHERE p.org_id = o.org_id AND p.id = o.accreditation_id AND a.quiz_completed_at >= p.valid_from AND a.quiz_completed_at < p.valid_until)",
    ),
    (
        "an award without its evaluation",
        "SELECT 1 FROM credits_award a JOIN credits_offer o ON o.org_id = a.org_id AND o.id = a.offer_id WHERE (o.evaluation_required AND a.evaluation_id IS NULL) OR (a.evaluation_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM credits_evaluation e WHERE e.org_id = a.org_id AND e.id = a.evaluation_id AND e.learner = a.learner AND e.program_id = a.program_id))",
    ),
    (
        "an award without a credential",
        "SELECT 1 FROM credits_award a JOIN credits_offer o ON o.org_id = a.org_id AND o.id = a.offer_id WHERE NOT EXISTS (SELECT 1 FROM credentials_assertion c WHERE c.org_id = a.org_id AND c.id = a.assertion_id AND c.learner = a.learner AND c.profession = a.profession AND c.level = a.level AND c.level >= o.minimum_level AND c.valid_from = a.valid_from AND c.valid_until = a.valid_until AND c.valid_from <= a.quiz_completed_at AND a.quiz_completed_at < c.valid_until)",
    ),
    (
        "a recognition that the offer does not give",
        "SELECT 1 FROM credits_award a WHERE NOT EXISTS (SELECT 1 FROM credits_recognition r WHERE r.org_id = a.org_id AND r.offer_id = a.offer_id AND r.profession = a.profession AND r.recognition = a.recognition AND r.recognition IN ('credit', 'participation'))",
    ),
    (
        "two live awards",
        "SELECT 1 FROM credits_award a WHERE NOT EXISTS (SELECT 1 FROM credits_ledger l WHERE l.org_id = a.org_id AND l.kind = 'void' AND l.award_id = a.id) GROUP BY a.org_id, a.learner, a.program_id, a.credit_type HAVING count(*) > 1",
    ),
    (
        "a ledger out of turn",
        "SELECT 1 FROM credits_ledger l WHERE (l.kind = 'award') <> (l.entry % 2 = 1) OR l.kind NOT IN ('award', 'void') OR l.entry < 1 OR NOT whole(l.entry) OR (l.entry > 1 AND NOT EXISTS (SELECT 1 FROM credits_ledger p WHERE p.org_id = l.org_id AND p.learner = l.learner AND p.program_id = l.program_id AND p.credit_type = l.credit_type AND p.entry = l.entry - 1 AND p.entry = l.previous AND p.award_id = l.previous_award_id AND (l.kind = 'award' OR p.award_id = l.award_id))) OR (l.entry = 1 AND (l.previous IS NOT NULL OR l.previous_award_id IS NOT NULL)) OR (l.kind = 'void' AND length(l.reason) = 0)",
    ),
    (
        "an act that the ledger has twice",
        "SELECT 1 FROM credits_ledger GROUP BY org_id, award_id, kind HAVING count(*) > 1",
    ),
    (
        "an entry that the ledger has twice",
        "SELECT 1 FROM credits_ledger GROUP BY org_id, learner, program_id, credit_type, entry HAVING count(*) > 1",
    ),
    (
        "a result that is no sum of its answers",
        "SELECT 1 FROM credits_result r WHERE r.right_answers <> (SELECT count(*) FROM credits_answer a JOIN credits_item_option o ON o.org_id = a.org_id AND o.item_version_id = a.item_version_id AND o.option = a.option WHERE a.org_id = r.org_id AND a.attempt_id = r.attempt_id AND o.correct = 1) OR r.items <> (SELECT count(*) FROM credits_answer a WHERE a.org_id = r.org_id AND a.attempt_id = r.attempt_id)",
    ),
    (
        "a result beside its threshold",
        "SELECT 1 FROM credits_result r WHERE r.passed <> (r.right_answers * 100 >= r.threshold * r.items) OR r.completed_at < r.started_at OR NOT EXISTS (SELECT 1 FROM credits_attempt t JOIN credits_form f ON f.org_id = t.org_id AND f.id = t.form_id WHERE t.org_id = r.org_id AND t.id = r.attempt_id AND t.learner = r.learner AND f.id = r.form_id AND f.threshold = r.threshold AND f.items = r.items AND f.program_id = r.program_id AND f.policy_id = r.policy_id AND f.content_verified_at = r.content_verified_at AND t.started_at = r.started_at)",
    ),
    (
        "an answer that is not what it says",
        "SELECT 1 FROM credits_answer a WHERE NOT EXISTS (SELECT 1 FROM credits_item_option o WHERE o.org_id = a.org_id AND o.item_version_id = a.item_version_id AND o.option = a.option AND o.correct = a.correct) OR NOT EXISTS (SELECT 1 FROM credits_form_item i WHERE i.org_id = a.org_id AND i.form_id = a.form_id AND i.position = a.position AND i.item_version_id = a.item_version_id) OR NOT EXISTS (SELECT 1 FROM credits_attempt t WHERE t.org_id = a.org_id AND t.id = a.attempt_id AND t.form_id = a.form_id) OR a.right_so_far <> a.correct + coalesce((SELECT p.right_so_far FROM credits_answer p WHERE p.org_id = a.org_id AND p.attempt_id = a.attempt_id AND p.position = a.position - 1), 0)",
    ),
    (
        "two answers to one question",
        "SELECT 1 FROM credits_answer GROUP BY org_id, attempt_id, position HAVING count(*) > 1",
    ),
    (
        "an item in a form that nobody else approved",
        "SELECT 1 FROM credits_form_item i WHERE NOT EXISTS (SELECT 1 FROM credits_item_decision d JOIN credits_item_version v ON v.org_id = d.org_id AND v.id = d.item_version_id WHERE d.org_id = i.org_id AND d.id = i.decision_id AND d.item_version_id = i.item_version_id AND d.approved AND d.reviewer <> v.author)",
    ),
    (
        "a decision on no work, or by its author",
        "SELECT 1 FROM credits_item_decision d WHERE NOT EXISTS (SELECT 1 FROM credits_item_version v WHERE v.org_id = d.org_id AND v.id = d.item_version_id AND v.author = d.author AND v.author <> d.reviewer)",
    ),
    (
        "an item decided on twice",
        "SELECT 1 FROM credits_item_decision GROUP BY org_id, item_version_id HAVING count(*) > 1",
    ),
    (
        "an item in a form whose source was not verified",
        "SELECT 1 FROM credits_form_item i WHERE NOT EXISTS (SELECT 1 FROM credits_form_source s JOIN ingestion_verification v ON v.org_id = s.org_id AND v.id = s.verification_id JOIN credits_form f ON f.org_id = s.org_id AND f.id = s.form_id JOIN credits_policy_class c ON c.org_id = f.org_id AND c.policy_id = f.policy_id AND c.class = v.class JOIN credits_item_version iv ON iv.org_id = i.org_id AND iv.id = i.item_version_id WHERE s.org_id = i.org_id AND s.form_id = i.form_id AND s.source_version_id = iv.source_version_id AND f.program_id = iv.program_id AND v.source_version_id = s.source_version_id AND v.program_id = f.program_id AND v.counts)",
    ),
    (
        "a source of a form that was not verified before it was frozen",
        "SELECT 1 FROM credits_form_source s WHERE NOT EXISTS (SELECT 1 FROM ingestion_verification v JOIN credits_form f ON f.org_id = v.org_id AND f.id = s.form_id WHERE v.org_id = s.org_id AND v.id = s.verification_id AND v.source_version_id = s.source_version_id AND v.counts AND v.class = s.class AND v.verified_at = s.verified_at AND f.policy_id = s.policy_id AND f.program_id = s.program_id AND v.program_id = s.program_id AND v.verified_at <= f.content_verified_at AND f.content_verified_at = s.content_verified_at AND f.content_verified_at <= f.frozen_at) OR NOT EXISTS (SELECT 1 FROM credits_policy_class c WHERE c.org_id = s.org_id AND c.policy_id = s.policy_id AND c.class = s.class)",
    ),
    (
        "a class that its policy does not name",
        "SELECT 1 FROM credits_policy_class c WHERE c.class NOT IN ('pubmed', 'crossref', 'guideline', 'provider_attested') OR NOT EXISTS (SELECT 1 FROM credits_policy p WHERE p.org_id = c.org_id AND p.id = c.policy_id AND p.id LIKE '%' || c.class || '%')",
    ),
    (
        "an item out of its place",
        "SELECT 1 FROM credits_form_item i WHERE NOT whole(i.position) OR NOT EXISTS (SELECT 1 FROM credits_form f WHERE f.org_id = i.org_id AND f.id = i.form_id AND f.items = i.items AND i.position BETWEEN 1 AND f.items)",
    ),
    (
        "an item of another program or source than it says",
        "SELECT 1 FROM credits_form_item i WHERE NOT EXISTS (SELECT 1 FROM credits_item_version v WHERE v.org_id = i.org_id AND v.id = i.item_version_id AND v.program_id = i.program_id AND v.source_version_id = i.source_version_id)",
    ),
    (
        "an item twice in a form",
        "SELECT 1 FROM credits_form_item GROUP BY org_id, form_id, item_version_id HAVING count(*) > 1",
    ),
    (
        "two items in one place",
        "SELECT 1 FROM credits_form_item GROUP BY org_id, form_id, position HAVING count(*) > 1",
    ),
    (
        "a form out of shape",
        "SELECT 1 FROM credits_form f WHERE f.threshold NOT BETWEEN 1 AND 100 OR NOT whole(f.threshold) OR f.items NOT BETWEEN 1 AND 100 OR NOT whole(f.items) OR f.most_attempts NOT BETWEEN 0 AND 100 OR f.content_verified_at > f.frozen_at OR NOT EXISTS (SELECT 1 FROM ingestion_program p WHERE p.org_id = f.org_id AND p.id = f.program_id) OR NOT EXISTS (SELECT 1 FROM credits_policy p WHERE p.org_id = f.org_id AND p.id = f.policy_id)",
    ),
    (
        "two forms of one number",
        "SELECT 1 FROM credits_form GROUP BY org_id, program_id, number HAVING count(*) > 1",
    ),
    (
        "an open form that is none, or of another program",
        "SELECT 1 FROM credits_open_form o WHERE NOT EXISTS (SELECT 1 FROM credits_form f WHERE f.org_id = o.org_id AND f.id = o.form_id AND f.program_id = o.program_id)",
    ),
    ("two open forms", "SELECT 1 FROM credits_open_form GROUP BY org_id, program_id HAVING count(*) > 1"),
    (
        "a retroactive or unaccredited offer",
        "SELECT 1 FROM credits_offer o WHERE o.designated_at > o.opens_at OR o.opens_at >= o.terminates_at OR o.designated_quarters NOT BETWEEN 1 AND 400 OR NOT whole(o.designated_quarters) OR o.minimum_level NOT BETWEEN 0 AND 3 OR NOT EXISTS (SELECT 1 FROM credits_accreditation p WHERE p.org_id = o.org_id AND p.id = o.accreditation_id AND p.valid_from = o.accreditation_from AND p.valid_until = o.accreditation_until AND o.opens_at >= p.valid_from AND o.opens_at < p.valid_until)",
    ),
    (
        "an offer of a program or policy that is not there",
        "SELECT 1 FROM credits_offer o WHERE NOT EXISTS (SELECT 1 FROM ingestion_program p WHERE p.org_id = o.org_id AND p.id = o.program_id) OR NOT EXISTS (SELECT 1 FROM credits_policy p WHERE p.org_id = o.org_id AND p.id = o.policy_id)",
    ),
    (
        "an accreditation out of shape",
        "SELECT 1 FROM credits_accreditation WHERE valid_from >= valid_until OR status NOT IN ('accreditation', 'commendation', 'provisional', 'probation')",
    ),
    (
        "a recognition out of shape",
        "SELECT 1 FROM credits_recognition r WHERE r.recognition NOT IN ('credit', 'participation') OR NOT EXISTS (SELECT 1 FROM credits_offer o WHERE o.org_id = r.org_id AND o.id = r.offer_id)",
    ),
    (
        "two recognitions of a profession",
        "SELECT 1 FROM credits_recognition GROUP BY org_id, offer_id, profession HAVING count(*) > 1",
    ),
    (
        "an attempt beyond the retakes",
        "SELECT 1 FROM credits_attempt t WHERE t.number < 1 OR NOT EXISTS (SELECT 1 FROM credits_form f WHERE f.org_id = t.org_id AND f.id = t.form_id AND f.program_id = t.program_id AND f.policy_id = t.policy_id AND f.threshold = t.threshold AND f.items = t.items AND f.content_verified_at = t.content_verified_at AND (f.most_attempts = 0 OR t.number <= f.most_attempts) AND t.started_at >= f.frozen_at)",
    ),
    (
        "an attempt of someone who had seen the key, or without an entry of its own",
        "SELECT 1 FROM credits_attempt t WHERE NOT EXISTS (SELECT 1 FROM credits_taking k WHERE k.org_id = t.org_id AND k.attempt_id = t.id AND k.program_id = t.program_id AND k.learner = t.learner AND k.kind = 'began' AND NOT k.key_seen)",
    ),
    (
        "a result of someone who had seen the key, or without an entry of its own",
        "SELECT 1 FROM credits_result r WHERE NOT EXISTS (SELECT 1 FROM credits_taking k WHERE k.org_id = r.org_id AND k.attempt_id = r.attempt_id AND k.program_id = r.program_id AND k.learner = r.learner AND k.kind = 'submitted' AND NOT k.key_seen)",
    ),
    (
        "an attempt or a result that says otherwise",
        "SELECT 1 FROM credits_attempt WHERE key_seen OR took <> 'began' OR took IS NULL OR key_seen IS NULL UNION ALL SELECT 1 FROM credits_result WHERE key_seen OR took <> 'submitted' OR took IS NULL OR key_seen IS NULL",
    ),
    (
        "someone takes a quiz whose key they had seen",
        "SELECT 1 FROM credits_taking k WHERE k.kind NOT IN ('saw_key', 'began', 'submitted') OR (k.kind <> 'saw_key' AND k.key_seen) OR k.key_seen <> EXISTS (SELECT 1 FROM credits_taking s WHERE s.org_id = k.org_id AND s.program_id = k.program_id AND s.learner = k.learner AND s.entry <= k.entry AND s.kind = 'saw_key')",
    ),
    (
        "an entry that does not follow the one before it",
        "SELECT 1 FROM credits_taking k WHERE k.entry < 1 OR NOT whole(k.entry) OR (k.entry > 1 AND NOT EXISTS (SELECT 1 FROM credits_taking b WHERE b.org_id = k.org_id AND b.program_id = k.program_id AND b.learner = k.learner AND b.entry = k.entry - 1))",
    ),
    (
        "two entries in one place",
        "SELECT 1 FROM credits_taking GROUP BY org_id, program_id, learner, entry HAVING count(*) > 1",
    ),
    (
        "an attempt that begins or ends twice",
        "SELECT 1 FROM credits_taking WHERE kind <> 'saw_key' GROUP BY org_id, attempt_id, program_id, learner, kind HAVING count(*) > 1",
    ),
    (
        "two attempts of one number",
        "SELECT 1 FROM credits_attempt GROUP BY org_id, form_id, learner, number HAVING count(*) > 1",
    ),
    (
        "an item out of shape",
        "SELECT 1 FROM credits_item_version v WHERE v.difficulty NOT IN ('easy', 'moderate', 'hard') OR v.origin NOT IN ('extractive', 'hand') OR NOT ((v.kind = 'true_false' AND v.options = 2) OR (v.kind = 'multiple_choice' AND v.options BETWEEN 3 AND 6)) OR NOT EXISTS (SELECT 1 FROM ingestion_source_version s WHERE s.org_id = v.org_id AND s.id = v.source_version_id AND s.source_id = v.source_id AND s.program_id = v.program_id)",
    ),
    (
        "two versions of one number",
        "SELECT 1 FROM credits_item_version GROUP BY org_id, item_id, number HAVING count(*) > 1",
    ),
    (
        "an option out of shape",
        "SELECT 1 FROM credits_item_option o WHERE o.correct NOT IN (0, 1) OR NOT EXISTS (SELECT 1 FROM credits_item_version v WHERE v.org_id = o.org_id AND v.id = o.item_version_id AND v.options = o.options AND o.option BETWEEN 1 AND v.options)",
    ),
    (
        "two right options",
        "SELECT 1 FROM credits_item_option WHERE correct = 1 GROUP BY org_id, item_version_id HAVING count(*) > 1",
    ),
    (
        "two options in one place",
        "SELECT 1 FROM credits_item_option GROUP BY org_id, item_version_id, option HAVING count(*) > 1",
    ),
    (
        "two options that say the same",
        "SELECT 1 FROM credits_item_option GROUP BY org_id, item_version_id, text HAVING count(*) > 1",
    ),
    (
        "an item bound to a passage of another source",
        "SELECT 1 FROM credits_item_passage p WHERE NOT EXISTS (SELECT 1 FROM credits_item_version v JOIN ingestion_passage g ON g.org_id = v.org_id AND g.source_version_id = v.source_version_id WHERE v.org_id = p.org_id AND v.id = p.item_version_id AND v.source_version_id = p.source_version_id AND v.program_id = p.program_id AND g.ordinal = p.ordinal AND g.id = p.passage_id)",
    ),
    (
        "an evaluation of no program",
        "SELECT 1 FROM credits_evaluation e WHERE NOT EXISTS (SELECT 1 FROM ingestion_program p WHERE p.org_id = e.org_id AND p.id = e.program_id)",
    ),
    (
        "two evaluations",
        "SELECT 1 FROM credits_evaluation GROUP BY org_id, program_id, learner HAVING count(*) > 1",
    ),
    (
        "a draft of no attempt",
        "SELECT 1 FROM credits_draft d WHERE NOT EXISTS (SELECT 1 FROM credits_attempt t WHERE t.org_id = d.org_id AND t.id = d.attempt_id)",
    ),
    (
        "a remark on no award, or for no event",
        "SELECT 1 FROM credits_annotation n WHERE NOT EXISTS (SELECT 1 FROM credits_award a WHERE a.org_id = n.org_id AND a.id = n.award_id) OR NOT EXISTS (SELECT 1 FROM ingestion_verification v WHERE v.org_id = n.org_id AND v.id = n.verification_id)",
    ),
    (
        "a suspension for no event",
        "SELECT 1 FROM credits_suspension s WHERE NOT EXISTS (SELECT 1 FROM ingestion_verification v WHERE v.org_id = s.org_id AND v.id = s.verification_id)",
    ),
    (
        "a remark twice",
        "SELECT 1 FROM credits_annotation GROUP BY org_id, award_id, verification_id HAVING count(*) > 1",
    ),
    (
        "a certificate of no award",
        "SELECT 1 FROM credits_certificate c WHERE NOT EXISTS (SELECT 1 FROM credits_award a WHERE a.org_id = c.org_id AND a.id = c.award_id)",
    ),
    (
        "two certificates of one award",
        "SELECT 1 FROM credits_certificate GROUP BY org_id, award_id HAVING count(*) > 1",
    ),
    (
        "two certificates of one code",
        "SELECT 1 FROM credits_certificate GROUP BY org_id, code HAVING count(*) > 1",
    ),
    (
        "two certificates on one place of a list",
        "SELECT 1 FROM credits_status_entry GROUP BY org_id, list, place HAVING count(*) > 1",
    ),
    (
        "a file of no certificate",
        "SELECT 1 FROM credits_certificate_file f WHERE NOT EXISTS (SELECT 1 FROM credits_certificate c WHERE c.org_id = f.org_id AND c.id = f.certificate_id)",
    ),
];

/// Tables whose rows are told apart by an id.
const WITH_IDS: [&str; 10] = [
    "credits_accreditation",
    "credits_policy",
    "credits_offer",
    "credits_item_version",
    "credits_item_decision",
    "credits_form",
    "credits_attempt",
    "credits_evaluation",
    "credits_award",
    "credits_annotation",
];

/// One query for all: it gives the name of whatever does not hold.
pub(super) fn query(backend: DbBackend) -> String {
    let known = INVARIANTS.iter().map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned()));
    let ids = WITH_IDS.iter().map(|table| {
        (
            format!("two rows of {table} with one id"),
            format!("SELECT 1 FROM {table} GROUP BY org_id, id HAVING count(*) > 1"),
        )
    });
    let others = [
        ("credits_result", "attempt_id"),
        ("credits_certificate", "id"),
        ("credits_certificate_file", "certificate_id"),
        ("credits_status_entry", "certificate_id"),
        ("credits_suspension", "source_version_id"),
    ];
    let others = others.iter().map(|(table, id)| {
        (
            format!("two rows of {table}"),
            format!("SELECT 1 FROM {table} GROUP BY org_id, {id} HAVING count(*) > 1"),
        )
    });
    let more = [
        (
            "two drafts of one answer",
            "SELECT 1 FROM credits_draft GROUP BY org_id, attempt_id, position HAVING count(*) > 1",
        ),
        (
            "a class twice",
            "SELECT 1 FROM credits_policy_class GROUP BY org_id, policy_id, class HAVING count(*) > 1",
        ),
        (
            "a source twice in a form",
            "SELECT 1 FROM credits_form_source GROUP BY org_id, form_id, source_version_id HAVING count(*) > 1",
        ),
        (
            "a passage twice",
            "SELECT 1 FROM credits_item_passage GROUP BY org_id, item_version_id, ordinal HAVING count(*) > 1",
        ),
    ];
    let more = more.iter().map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned()));
    let all = known.chain(ids).chain(others).chain(more);
    let parts: Vec<String> = all
        .map(|(name, sql)| format!("SELECT '{name}' AS broken WHERE EXISTS ({})", whole_in(backend, &sql)))
        .collect();
    format!("SELECT broken FROM ({}) found LIMIT 1", parts.join(" UNION ALL "))
}

/// Writes `whole(x)` out for an engine.
fn whole_in(backend: DbBackend, sql: &str) -> String {
    let mut text = sql.to_owned();
    while let Some((before, rest)) = text.split_once("whole(") {
        let (inside, after) = rest.split_once(')').expect("a bracket");
        text = match backend {
            DbBackend::Sqlite => format!("{before}typeof({inside}) = 'integer'{after}"),
            _ => format!("{before}({inside} = {inside}){after}"),
        };
    }
    text
}
