-- Other companies' systems: their keys, and the addresses they are told at.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE api_key (
    tenant_id                      uuid        NOT NULL REFERENCES tenant,
    id                             uuid        NOT NULL,
    name                           text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    key_id                         text        NOT NULL CHECK (key_id ~ '^[0-9a-hjkmnp-tv-z]{16}$'),
    environment                    text        NOT NULL CONSTRAINT api_key_environment CHECK (environment IN ('live', 'test')),
    secret_mac                     bytea       NOT NULL CHECK (octet_length(secret_mac) = 32),
    pepper_id                      text        NOT NULL,
    previous_mac                   bytea       CHECK (octet_length(previous_mac) = 32),
    previous_pepper_id             text,
    previous_valid_until           timestamptz,
    sealed_signing_secret          bytea,
    previous_sealed_signing_secret bytea,
    scopes                         text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 20),
    ip_allow                       text[]      CHECK (cardinality(ip_allow) <= 32),    -- none: from anywhere
    requires_signature             boolean     NOT NULL DEFAULT false,
    expires_at                     timestamptz,
    last_used_at                   timestamptz,
    revoked_at                     timestamptz,
    revoked_by                     uuid,
    version                        bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at                     timestamptz NOT NULL,
    deleted_at                     timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_key_previous CHECK ((previous_mac IS NULL) = (previous_valid_until IS NULL)
        AND (previous_mac IS NULL) = (previous_pepper_id IS NULL)),
    CONSTRAINT api_key_signing CHECK (NOT requires_signature OR sealed_signing_secret IS NOT NULL)
);
-- Looked up before a tenant is known, so it is unique by itself.
CREATE UNIQUE INDEX api_key_key_id ON api_key (key_id);

CREATE TABLE api_key_branch (
    tenant_id  uuid        NOT NULL,
    api_key_id uuid        NOT NULL,
    branch_id  uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, api_key_id, branch_id),
    FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_key,
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch
);

CREATE TABLE webhook_endpoint (
    tenant_id              uuid        NOT NULL REFERENCES tenant,
    id                     uuid        NOT NULL,
    url                    text        NOT NULL CHECK (char_length(url) BETWEEN 8 AND 2048),
    event_types            text[]      NOT NULL CHECK (cardinality(event_types) BETWEEN 1 AND 100),
    enabled                boolean     NOT NULL DEFAULT true,
    disabled_at            timestamptz,
    disabled_reason        text        CONSTRAINT webhook_endpoint_disabled_reason
        CHECK (disabled_reason IN ('gone', 'failing', 'by_hand')),
    sealed_secret          bytea       NOT NULL,
    previous_sealed_secret bytea,
    previous_valid_until   timestamptz,
    failing_since          timestamptz,
    concurrency            integer     NOT NULL DEFAULT 4 CHECK (concurrency BETWEEN 1 AND 4),
    version                bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at             timestamptz NOT NULL,
    deleted_at             timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhook_endpoint_disabled CHECK (enabled = (disabled_at IS NULL) AND enabled = (disabled_reason IS NULL)),
    CONSTRAINT webhook_endpoint_previous CHECK ((previous_sealed_secret IS NULL) = (previous_valid_until IS NULL))
);
CREATE INDEX webhook_endpoint_live ON webhook_endpoint (tenant_id) WHERE deleted_at IS NULL;

CREATE TABLE webhook_branch (
    tenant_id   uuid        NOT NULL,
    endpoint_id uuid        NOT NULL,
    branch_id   uuid        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, endpoint_id, branch_id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoint,
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch
);
CREATE INDEX webhook_branch_branch ON webhook_branch (tenant_id, branch_id);

-- One event for one endpoint. `seq` is null for a test, which is not of the log.
CREATE TABLE webhook_delivery (
    tenant_id       uuid        NOT NULL,
    id              uuid        NOT NULL,
    endpoint_id     uuid        NOT NULL,
    branch_id       uuid        NOT NULL,
    event_id        uuid        NOT NULL,
    event_type      text        NOT NULL,
    seq             bigint      CHECK (seq > 0),
    body            text        NOT NULL,
    traceparent     text,
    attempt         integer     NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    status          text        NOT NULL DEFAULT 'pending'
        CONSTRAINT webhook_delivery_status CHECK (status IN ('pending', 'delivered', 'skipped', 'failed')),
    response_code   integer     CHECK (response_code BETWEEN 100 AND 599),
    next_attempt_at timestamptz,
    lease_owner     text,
    lease_until     timestamptz,
    fence           bigint      NOT NULL DEFAULT 0 CHECK (fence >= 0),
    created_at      timestamptz NOT NULL,
    settled_at      timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    UNIQUE (tenant_id, endpoint_id, event_id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoint,
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch,
    CONSTRAINT webhook_delivery_due CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT webhook_delivery_lease CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
-- The next of a receiver and branch, and what is under way.
CREATE INDEX webhook_delivery_next ON webhook_delivery (tenant_id, endpoint_id, branch_id, seq NULLS FIRST, id)
    WHERE status = 'pending';
CREATE INDEX webhook_delivery_leased ON webhook_delivery (lease_until) WHERE status = 'pending';
CREATE INDEX webhook_delivery_range ON webhook_delivery (tenant_id, endpoint_id, branch_id, seq);
CREATE INDEX webhook_delivery_of_endpoint ON webhook_delivery (tenant_id, endpoint_id, id);

CREATE TABLE webhook_attempt (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    delivery_id   uuid        NOT NULL,
    endpoint_id   uuid        NOT NULL,
    branch_id     uuid        NOT NULL,
    attempt       integer     NOT NULL CHECK (attempt >= 1),
    started_at    timestamptz NOT NULL,
    duration_ms   integer     NOT NULL CHECK (duration_ms >= 0),
    response_code integer     CHECK (response_code BETWEEN 100 AND 599),
    error_class   text,
    error_code    text,
    reply         text        CHECK (octet_length(reply) <= 1024),
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, branch_id, delivery_id) REFERENCES webhook_delivery (tenant_id, branch_id, id)
);
CREATE INDEX webhook_attempt_of_delivery ON webhook_attempt (tenant_id, delivery_id, attempt);
CREATE INDEX webhook_attempt_age ON webhook_attempt (started_at);

CALL comanda_protect('api_key', false);
CALL comanda_protect('api_key_branch', false);
CALL comanda_protect('webhook_endpoint', true);
CALL comanda_protect('webhook_branch', true);
CALL comanda_protect('webhook_delivery', true);
CALL comanda_protect('webhook_attempt', true);

GRANT SELECT, INSERT, UPDATE ON api_key, webhook_endpoint, webhook_delivery TO comanda_app;
GRANT SELECT, INSERT, DELETE ON api_key_branch, webhook_branch TO comanda_app;
GRANT SELECT, INSERT ON webhook_attempt TO comanda_app;
GRANT SELECT, UPDATE ON webhook_endpoint TO comanda_relay;
GRANT SELECT ON webhook_branch TO comanda_relay;
GRANT SELECT, INSERT, UPDATE ON webhook_delivery TO comanda_relay;
GRANT SELECT, INSERT, DELETE ON webhook_attempt TO comanda_relay;

-- The tenant of a key, by the part of it that may be shown.
CREATE FUNCTION comanda_api_key(shown text) RETURNS TABLE (tenant_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT k.tenant_id FROM public.api_key AS k WHERE k.key_id = shown $$;
REVOKE EXECUTE ON FUNCTION comanda_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION comanda_api_key(text) TO comanda_app;

RESET ROLE;
