-- Stored answers, and the stages from which events and audit entries are moved on.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE idempotency_record (
    tenant_id      uuid        NOT NULL,
    id             uuid        NOT NULL,
    principal_kind text        NOT NULL CONSTRAINT idempotency_record_principal_kind
        CHECK (principal_kind IN ('table', 'diner', 'user', 'api_key')),
    principal_id   uuid        NOT NULL,
    method         text        NOT NULL,
    route          text        NOT NULL,
    key            text        NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    fingerprint    bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    state          text        NOT NULL CONSTRAINT idempotency_record_state CHECK (state IN ('started', 'done')),
    status         integer     CHECK (status BETWEEN 200 AND 299),
    headers        jsonb,
    body           bytea,
    lease_until    timestamptz,
    resource_id    uuid,
    expires_at     timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, principal_kind, principal_id, method, route, key),
    CONSTRAINT idempotency_record_answer CHECK ((state = 'done') = (status IS NOT NULL))
);
CREATE INDEX idempotency_record_expiry ON idempotency_record (tenant_id, expires_at);

-- Nearly empty: rows are moved on within milliseconds, so dead ones are cleaned early.
CREATE TABLE outbox_stage (
    tenant_id   uuid        NOT NULL,
    stage_id    bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1),
    branch_id   uuid,
    shard       integer     NOT NULL CHECK (shard >= 0),
    event_id    uuid        NOT NULL,
    type        text        NOT NULL,
    subject     text        NOT NULL,
    session_id  uuid,
    sector_id   uuid,
    attributes  jsonb,
    data        jsonb       NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, stage_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 1000);
CREATE INDEX outbox_stage_shard ON outbox_stage (shard, stage_id);

CREATE TABLE audit_stage (
    tenant_id   uuid        NOT NULL,
    stage_id    bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1),
    id          uuid        NOT NULL,
    branch_id   uuid,
    occurred_at timestamptz NOT NULL,
    actor_kind  text        NOT NULL CONSTRAINT audit_stage_actor_kind
        CHECK (actor_kind IN ('diner', 'user', 'api_key', 'provider', 'system', 'operator')),
    actor_id    uuid,
    actor_label text,
    client_ip   text,
    user_agent  text        CHECK (octet_length(user_agent) <= 256),
    action      text        NOT NULL,
    outcome     text        NOT NULL CONSTRAINT audit_stage_outcome CHECK (outcome IN ('success', 'denied', 'failed')),
    entity_type text,
    entity_id   uuid,
    reason      text,
    request_id  text,
    trace_id    bytea       CHECK (octet_length(trace_id) = 16),
    before      jsonb,
    after       jsonb,
    salt        bytea       NOT NULL CHECK (octet_length(salt) = 32),
    PRIMARY KEY (tenant_id, stage_id)
);

-- Positions of the event log; of no tenant.
CREATE TABLE event_shard (
    shard         integer PRIMARY KEY CHECK (shard >= 0),
    pos           bigint  NOT NULL DEFAULT 0 CHECK (pos >= 0),
    term          bigint  NOT NULL DEFAULT 0 CHECK (term >= 0),
    holder        text,
    published_pos bigint  NOT NULL DEFAULT 0 CHECK (published_pos >= 0)
);

CALL comanda_protect('idempotency_record', false);
CALL comanda_protect('outbox_stage', true);
CALL comanda_protect('audit_stage', true);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_record TO comanda_app;
GRANT INSERT ON outbox_stage, audit_stage TO comanda_app;
GRANT SELECT, DELETE ON outbox_stage, audit_stage TO comanda_relay;
GRANT SELECT ON event_shard TO comanda_app, comanda_backup, comanda_support;
GRANT SELECT, INSERT, UPDATE ON event_shard TO comanda_relay;
GRANT SELECT ON SEQUENCE outbox_stage_stage_id_seq, audit_stage_stage_id_seq TO comanda_backup;

RESET ROLE;
