-- What workers have given up on, and the count that nothing is lost.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE dead_letter (
    tenant_id       uuid        NOT NULL REFERENCES tenant,
    id              uuid        NOT NULL,
    source          text        NOT NULL
        CONSTRAINT dead_letter_source CHECK (source IN ('webhook', 'provider_notification', 'event', 'audit')),
    source_id       text        NOT NULL CHECK (char_length(source_id) BETWEEN 1 AND 120),
    event_type      text,
    payload         jsonb       NOT NULL,
    error_class     text        NOT NULL
        CONSTRAINT dead_letter_class CHECK (error_class IN ('retryable', 'unrecoverable', 'unknown')),
    error_code      text        NOT NULL CHECK (char_length(error_code) BETWEEN 1 AND 80),
    error_text      text        NOT NULL CHECK (octet_length(error_text) <= 4096),
    attempts        integer     NOT NULL CHECK (attempts >= 0),
    redrives        integer     NOT NULL DEFAULT 0 CHECK (redrives >= 0),
    first_failed_at timestamptz NOT NULL,
    last_failed_at  timestamptz NOT NULL,
    next_attempt_at timestamptz,
    state           text        NOT NULL DEFAULT 'pending'
        CONSTRAINT dead_letter_state CHECK (state IN ('pending', 'retrying', 'resolved', 'archived', 'discarded')),
    lease_owner     text,
    lease_until     timestamptz,
    fence           bigint      NOT NULL DEFAULT 0 CHECK (fence >= 0),
    trace_id        text        CHECK (trace_id ~ '^[0-9a-f]{32}$'),
    resolved_by     text,
    resolved_at     timestamptz,
    note            text        CHECK (char_length(note) <= 500),
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, source, source_id),
    CONSTRAINT dead_letter_lease CHECK ((state = 'retrying') = (lease_owner IS NOT NULL)
        AND (lease_owner IS NULL) = (lease_until IS NULL)),
    CONSTRAINT dead_letter_resolved CHECK ((state IN ('resolved', 'discarded', 'archived')) = (resolved_at IS NOT NULL))
);
CREATE INDEX dead_letter_open ON dead_letter (first_failed_at, id) WHERE state IN ('pending', 'retrying');

CALL comanda_protect('dead_letter', true);
GRANT SELECT, INSERT, UPDATE ON dead_letter TO comanda_app, comanda_relay;

-- accepted = settled + pending + dead, at every moment. What is dead is counted where the dead are kept, so a delivery
-- that was given up without its letter, or a letter without its delivery, shows.
CREATE VIEW queue_conservation WITH (security_invoker = true) AS
SELECT 'webhook'::text AS queue,
       count(*) AS accepted,
       count(*) FILTER (WHERE d.status IN ('delivered', 'skipped')) AS settled,
       count(*) FILTER (WHERE d.status = 'pending') AS pending,
       (SELECT count(*) FROM dead_letter l WHERE l.source = 'webhook' AND l.state <> 'resolved') AS dead
  FROM webhook_delivery d;
GRANT SELECT ON queue_conservation TO comanda_app, comanda_relay, comanda_support, comanda_backup;

RESET ROLE;
