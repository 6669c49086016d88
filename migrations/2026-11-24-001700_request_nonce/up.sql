-- A signed request has one effect: its nonce is claimed in the transaction of the effect. And keys whose end was told.
SET LOCAL ROLE comanda_migrator;

-- Kept for ten minutes, longer than any signature holds. It refers to no row: claiming one must not wait for whoever
-- changes the key.
CREATE TABLE request_nonce (
    tenant_id  uuid        NOT NULL,
    api_key_id uuid        NOT NULL,
    nonce      text        NOT NULL CHECK (nonce ~ '^[A-Za-z0-9_-]{16,64}$'),
    claim      uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, api_key_id, nonce)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 1000);
CREATE INDEX request_nonce_age ON request_nonce (created_at);

CALL comanda_protect('request_nonce', true);
GRANT SELECT, INSERT ON request_nonce TO comanda_app;
GRANT SELECT, DELETE ON request_nonce TO comanda_relay;

-- Claims a nonce for one request, which may do so again: in a further transaction, or when its transaction is repeated.
-- Another request waits for the end of the first one's transaction and is refused if that was committed.
CREATE FUNCTION comanda_claim_nonce(tenant uuid, key uuid, wanted text, mine uuid, at timestamptz) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    holder uuid;
BEGIN
    INSERT INTO request_nonce (tenant_id, api_key_id, nonce, claim, created_at) VALUES (tenant, key, wanted, mine, at)
        ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT n.claim INTO holder FROM request_nonce AS n
     WHERE n.tenant_id = tenant AND n.api_key_id = key AND n.nonce = wanted;
    IF holder IS DISTINCT FROM mine THEN
        RAISE EXCEPTION 'request_nonce_used' USING ERRCODE = 'CM004';
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION comanda_claim_nonce(uuid, uuid, text, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION comanda_claim_nonce(uuid, uuid, text, uuid, timestamptz) TO comanda_app;

ALTER TABLE api_key ADD COLUMN expiring_told_at timestamptz;
CREATE INDEX api_key_expiring ON api_key (tenant_id, expires_at)
    WHERE expiring_told_at IS NULL AND revoked_at IS NULL AND expires_at IS NOT NULL;
ALTER TABLE api_key
    ADD CONSTRAINT api_key_previous_signing CHECK (previous_sealed_signing_secret IS NULL OR previous_mac IS NOT NULL);

RESET ROLE;
