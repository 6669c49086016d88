-- What the application calls. Its own conditions have SQLSTATEs of class CM.
SET LOCAL ROLE comanda_migrator;

-- Takes the advisory lock of an idempotency key until the end of the transaction, without waiting.
CREATE FUNCTION comanda_claim_key(key bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(key) THEN
        RAISE EXCEPTION 'idempotency_in_flight' USING ERRCODE = 'CM001';
    END IF;
END
$$;

-- Refuses a statement that did not change as many rows as it had to: somebody else was faster.
CREATE FUNCTION comanda_expect(actual bigint, wanted bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF actual IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION '%: changed % rows instead of %', what, actual, wanted USING ERRCODE = 'CM002';
    END IF;
END
$$;

-- The tenant of a login, by the family that a refresh token names.
CREATE FUNCTION comanda_refresh_family(family uuid) RETURNS TABLE (tenant_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT f.tenant_id FROM public.refresh_family AS f WHERE f.id = family $$;

REVOKE EXECUTE ON FUNCTION comanda_claim_key(bigint), comanda_expect(bigint, bigint, text), comanda_refresh_family(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION comanda_claim_key(bigint), comanda_expect(bigint, bigint, text), comanda_refresh_family(uuid)
    TO comanda_app;

RESET ROLE;
