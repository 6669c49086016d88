-- The stored answer of each idempotency key.
CREATE TABLE idempotency_record (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    principal_kind text NOT NULL,
    principal_id uuid NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    state text NOT NULL,
    status integer,
    headers jsonb,
    body bytea,
    lease_until timestamptz,
    resource_id uuid,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_record_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT idempotency_record_principal_kind_check CHECK (principal_kind IN ('diner', 'user', 'api_key')),
    CONSTRAINT idempotency_record_key_check CHECK (char_length(key) BETWEEN 1 AND 255),
    CONSTRAINT idempotency_record_fingerprint_check CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT idempotency_record_state_check CHECK (state IN ('started', 'done')),
    CONSTRAINT idempotency_record_status_check CHECK (status BETWEEN 200 AND 299),
    CONSTRAINT idempotency_record_key UNIQUE (tenant_id, principal_kind, principal_id, method, route, key),
    CONSTRAINT idempotency_record_done CHECK ((state = 'done') = (status IS NOT NULL AND body IS NOT NULL))
);
CREATE INDEX idempotency_record_expiry ON idempotency_record (expires_at);
CALL comanda_protect('idempotency_record', 'SELECT, INSERT, UPDATE, DELETE');

-- Events on their way to the log, in commit order per object.
CREATE TABLE outbox_stage (
    stage_id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
    tenant_id uuid NOT NULL,
    branch_id uuid,
    shard integer NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    session_id uuid,
    sector_id uuid,
    attributes jsonb NOT NULL,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT outbox_stage_pkey PRIMARY KEY (tenant_id, stage_id),
    CONSTRAINT outbox_stage_shard_check CHECK (shard >= 0),
    CONSTRAINT outbox_stage_data_check CHECK (octet_length(data::text) <= 65536)
);
CREATE INDEX outbox_stage_shard ON outbox_stage (shard, stage_id);
CALL comanda_protect('outbox_stage', 'INSERT', 'SELECT, DELETE');

-- Audit entries on their way to the sealed log.
CREATE TABLE audit_stage (
    stage_id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid,
    occurred_at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid,
    actor_label text,
    client_ip text,
    user_agent text,
    action text NOT NULL,
    outcome text NOT NULL,
    entity_type text,
    entity_id uuid,
    reason text,
    request_id text,
    trace_id text,
    before jsonb,
    after jsonb,
    salt bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT audit_stage_pkey PRIMARY KEY (tenant_id, stage_id),
    CONSTRAINT audit_stage_actor_kind_check CHECK (actor_kind IN ('diner', 'user', 'api_key', 'provider', 'operator', 'system')),
    CONSTRAINT audit_stage_outcome_check CHECK (outcome IN ('success', 'denied', 'failed')),
    CONSTRAINT audit_stage_salt_check CHECK (octet_length(salt) = 32)
);
CALL comanda_protect('audit_stage', 'INSERT', 'SELECT, DELETE');

-- Positions of the event log, one row per shard; of no tenant.
CREATE TABLE event_shard (
    shard integer NOT NULL,
    pos bigint NOT NULL,
    term bigint NOT NULL,
    holder text,
    published_pos bigint NOT NULL,
    CONSTRAINT event_shard_pkey PRIMARY KEY (shard)
);

GRANT SELECT ON event_shard TO comanda_app, comanda_support, comanda_backup;
GRANT SELECT, INSERT, UPDATE ON event_shard TO comanda_relay;
ALTER TABLE event_shard OWNER TO comanda_migrator;
