REVOKE ALL ON SCHEMA public FROM comanda_app, comanda_relay, comanda_backup, comanda_support, comanda_migrator;
DROP FUNCTION comanda_expect(bigint, bigint, text);
DROP FUNCTION comanda_claim_key(bigint);
DROP PROCEDURE comanda_protect(regclass, text, text);
