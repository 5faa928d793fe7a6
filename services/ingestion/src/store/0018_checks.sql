-- Versions that were watched before there were jobs.
INSERT INTO ingestion_check_job (org_id, kind, subject, state, tries, returns, due_at, worker, done, total, code, enqueued_at)
SELECT s.org_id, 'check', s.source_version_id, 'waiting', 0, 0, s.next_check_at, '', 0, 0, '', s.next_check_at
FROM ingestion_surveillance s;
