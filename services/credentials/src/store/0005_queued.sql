-- What waited in memory before there were jobs: people about whom the registry was not asked, and parties of contests who
-- were not notified.
INSERT INTO credentials_job (org_id, kind, subject, state, tries, returns, due_at, worker, done, total, code, enqueued_at)
SELECT DISTINCT org_id, 'notice', contest_id, 'waiting', 0, 0, 0, '', 0, 0, '', 0
FROM credentials_contest_party WHERE told_at IS NULL;
INSERT INTO credentials_job (org_id, kind, subject, state, tries, returns, due_at, worker, done, total, code, enqueued_at)
SELECT c.org_id, 'registry', c.learner, 'waiting', 0, 0, 0, '', 0, 0, '', 0
FROM credentials_clinician c
WHERE c.npi_index <> '' AND c.email_verified_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM credentials_check k
    WHERE k.org_id = c.org_id AND k.learner = c.learner AND k.method = 'npi_registry' AND k.checked_at >= c.updated_at
);
