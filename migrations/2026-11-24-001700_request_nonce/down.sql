SET LOCAL ROLE comanda_migrator;
ALTER TABLE api_key DROP CONSTRAINT api_key_previous_signing, DROP COLUMN expiring_told_at;
DROP FUNCTION comanda_claim_nonce(uuid, uuid, text, uuid, timestamptz);
DROP TABLE request_nonce;
RESET ROLE;
