-- Vectors by what they are of: the model, the heading and the text. Two versions that share a passage share its row.
CREATE TABLE retrieval_vector (
    org_id TEXT NOT NULL,
    content TEXT NOT NULL,
    -- 32-bit floats, little endian.
    passage BYTEA NOT NULL,
    -- One 8-bit vector per sentence.
    sentences BYTEA NOT NULL,
    PRIMARY KEY (org_id, content)
);

-- A row says that the version's points are in the engine and flushed. The engine is derived data: when the two
-- disagree, it is rebuilt from here.
CREATE TABLE retrieval_indexed (
    org_id TEXT NOT NULL,
    program_version_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    model TEXT NOT NULL,
    passages BIGINT NOT NULL,
    profile BYTEA NOT NULL,
    indexed_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, program_version_id)
);
