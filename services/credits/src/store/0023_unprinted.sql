-- Certificates that waited in memory before there were jobs.
INSERT INTO credits_print_job (org_id, kind, subject, state, tries, returns, due_at, worker, done, total, code, enqueued_at)
SELECT DISTINCT a.org_id, 'certificates', 'due', 'waiting', 0, 0, 0, '', 0, 0, '', 0
FROM credits_award a
WHERE NOT EXISTS (
    SELECT 1 FROM credits_certificate c JOIN credits_certificate_file f ON f.org_id = c.org_id AND f.certificate_id = c.id
    WHERE c.org_id = a.org_id AND c.award_id = a.id
);
