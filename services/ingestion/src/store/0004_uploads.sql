-- Uploads that have not ended: each names the object that its bytes go to, so that nothing is stored that no row refers to.
CREATE TABLE ingestion_upload (
    org_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    reserved_bytes BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    CONSTRAINT ingestion_upload_key PRIMARY KEY (org_id, object_id)
);
