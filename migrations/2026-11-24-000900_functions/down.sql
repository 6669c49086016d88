SET LOCAL ROLE comanda_migrator;
DROP FUNCTION comanda_refresh_family(uuid);
DROP FUNCTION comanda_expect(bigint, bigint, text);
DROP FUNCTION comanda_claim_key(bigint);
RESET ROLE;
