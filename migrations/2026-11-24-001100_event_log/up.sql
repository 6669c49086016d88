-- The event log: what was staged, numbered by one fenced writer per shard.
SET LOCAL ROLE comanda_migrator;

-- Internal events have a position, but no number in their branch.
ALTER TABLE outbox_stage ADD COLUMN numbered boolean NOT NULL DEFAULT true;
ALTER TABLE outbox_stage ADD CONSTRAINT outbox_stage_branch CHECK (branch_id IS NOT NULL OR NOT numbered);

CREATE TABLE event_log (
    tenant_id   uuid        NOT NULL,
    recorded_on date        NOT NULL,
    shard       integer     NOT NULL CHECK (shard >= 0),
    pos         bigint      NOT NULL CHECK (pos > 0),
    branch_id   uuid,
    seq         bigint      CHECK (seq > 0),
    event_id    uuid        NOT NULL,
    type        text        NOT NULL,
    subject     text        NOT NULL,
    session_id  uuid,
    sector_id   uuid,
    attributes  jsonb,
    data        jsonb       NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, recorded_on, shard, pos),
    UNIQUE (tenant_id, branch_id, seq, recorded_on),   -- a unique index must hold the partition key
    CONSTRAINT event_log_branch CHECK (branch_id IS NOT NULL OR seq IS NULL)
) PARTITION BY RANGE (recorded_on);
CREATE INDEX event_log_shard ON event_log (shard, pos);

-- One life of the log; cursors of an earlier one are recognised by it.
CREATE TABLE event_epoch (
    sole   boolean     PRIMARY KEY DEFAULT true CHECK (sole),
    epoch  text        NOT NULL CHECK (epoch ~ '^[0-9a-f]{8}$'),
    since  timestamptz NOT NULL,
    reason text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 200)
);

-- The first position of a shard's day, so that a position finds its partition.
CREATE TABLE event_day (
    shard       integer NOT NULL REFERENCES event_shard,
    recorded_on date    NOT NULL,
    first_pos   bigint  NOT NULL CHECK (first_pos > 0),
    PRIMARY KEY (shard, recorded_on)
);

-- How far workers that follow the log have come.
CREATE TABLE event_consumer (
    consumer text    NOT NULL CHECK (char_length(consumer) BETWEEN 1 AND 40),
    shard    integer NOT NULL REFERENCES event_shard,
    pos      bigint  NOT NULL DEFAULT 0 CHECK (pos >= 0),
    term     bigint  NOT NULL DEFAULT 0 CHECK (term >= 0),
    PRIMARY KEY (consumer, shard)
);

CALL comanda_protect('event_log', true);
GRANT SELECT ON event_log TO comanda_app;
GRANT SELECT, INSERT ON event_log TO comanda_relay;
GRANT INSERT ON outbox_stage, audit_stage TO comanda_relay;
GRANT SELECT ON event_epoch, event_day, event_consumer TO comanda_app, comanda_backup, comanda_support;
GRANT SELECT, INSERT, UPDATE ON event_epoch, event_day, event_consumer TO comanda_relay;

-- Moves the oldest staged events of the caller's shards into the log and numbers them, all or nothing. Locks the rows
-- of event_shard first: whoever has lost a shard since (its term has risen) writes nothing and gets CM003.
CREATE FUNCTION comanda_sequence(mine integer[], terms bigint[], most integer, today date, at timestamptz)
    RETURNS SETOF event_log LANGUAGE plpgsql AS $$
DECLARE
    held integer;
BEGIN
    -- Looking is free; the locks below are a write of their own.
    IF NOT EXISTS (SELECT FROM outbox_stage WHERE shard = ANY (mine)) THEN
        RETURN;
    END IF;
    SELECT count(*) INTO held FROM (
        SELECT FROM event_shard s JOIN unnest(mine, terms) AS m (shard, term) ON s.shard = m.shard AND s.term = m.term
         ORDER BY s.shard FOR UPDATE OF s) locked;
    IF held <> cardinality(mine) THEN
        RAISE EXCEPTION 'another leader has taken over' USING ERRCODE = 'CM003';
    END IF;
    RETURN QUERY
    WITH picked AS MATERIALIZED (
        SELECT o.tenant_id, o.stage_id
          FROM unnest(mine) AS m (shard),
               LATERAL (SELECT s.tenant_id, s.stage_id FROM outbox_stage s
                         WHERE s.shard = m.shard ORDER BY s.stage_id LIMIT most) o
         ORDER BY o.stage_id LIMIT most),
    taken AS MATERIALIZED (
        DELETE FROM outbox_stage o USING picked p
         WHERE o.tenant_id = p.tenant_id AND o.stage_id = p.stage_id RETURNING o.*),
    moved AS (
        UPDATE event_shard s SET pos = s.pos + t.amount
          FROM (SELECT shard, count(*) AS amount FROM taken GROUP BY shard) t
         WHERE s.shard = t.shard RETURNING s.shard, s.pos - t.amount AS base),
    counted AS (
        INSERT INTO branch_counter AS c (tenant_id, branch_id, name, value, created_at)
        SELECT t.tenant_id, t.branch_id, 'event_seq', count(*), at FROM taken t WHERE t.numbered
         GROUP BY t.tenant_id, t.branch_id
         ORDER BY t.tenant_id, t.branch_id
        ON CONFLICT (tenant_id, branch_id, name) DO UPDATE SET value = c.value + excluded.value
        RETURNING c.tenant_id, c.branch_id, c.value),
    days AS MATERIALIZED (
        -- The day of a shard never falls, whatever the clock says.
        SELECT b.shard, b.base, greatest(today, (SELECT max(d.recorded_on) FROM event_day d WHERE d.shard = b.shard)) AS day
          FROM moved b),
    marked AS (
        INSERT INTO event_day (shard, recorded_on, first_pos) SELECT shard, day, base + 1 FROM days
        ON CONFLICT DO NOTHING),
    ranked AS (
        SELECT t.*, row_number() OVER (PARTITION BY t.shard ORDER BY t.stage_id) AS nth,
               count(*) FILTER (WHERE t.numbered) OVER whole - count(*) FILTER (WHERE t.numbered) OVER so_far AS after_it
          FROM taken t
        WINDOW whole AS (PARTITION BY t.tenant_id, t.branch_id),
               so_far AS (PARTITION BY t.tenant_id, t.branch_id ORDER BY t.stage_id ROWS UNBOUNDED PRECEDING))
    INSERT INTO event_log (tenant_id, recorded_on, shard, pos, branch_id, seq, event_id, type, subject, session_id,
                           sector_id, attributes, data, occurred_at, recorded_at)
    SELECT r.tenant_id, d.day, r.shard, d.base + r.nth, r.branch_id,
           CASE WHEN r.numbered THEN c.value - r.after_it END,
           r.event_id, r.type, r.subject, r.session_id, r.sector_id, r.attributes, r.data, r.occurred_at, at
      FROM ranked r
      JOIN days d ON d.shard = r.shard
      LEFT JOIN counted c ON c.tenant_id = r.tenant_id AND c.branch_id = r.branch_id
    RETURNING *;
END
$$;

-- Makes the partitions from the day before `today` to two days ahead; only their owner may.
CREATE FUNCTION comanda_event_partitions(today date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    day  date;
    name text;
BEGIN
    -- One at a time; the number is ours, and arbitrary.
    PERFORM pg_advisory_xact_lock(7165064744911716353);
    FOR offset_days IN -1..2 LOOP
        day := today + offset_days;
        name := 'event_log_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.event_log FOR VALUES FROM (%L) TO (%L)',
            name, day, day + 1);
        CALL public.comanda_protect(to_regclass('public.' || name), true);
    END LOOP;
END
$$;

-- Drops the partitions of days before `oldest` that every consumer and the publisher have passed. Gives their days.
CREATE FUNCTION comanda_event_drop(oldest date) RETURNS SETOF date
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part   record;
    needed boolean;
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS relation, to_date(right(c.relname, 8), 'YYYYMMDD') AS day
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'public.event_log'::regclass ORDER BY c.relname
    LOOP
        EXIT WHEN part.day >= oldest;
        EXECUTE format(
            'SELECT EXISTS (
                SELECT FROM (SELECT shard, max(pos) AS last FROM %s GROUP BY shard) l
                 WHERE l.last > (SELECT s.published_pos FROM public.event_shard s WHERE s.shard = l.shard)
                    OR EXISTS (SELECT FROM public.event_consumer c WHERE c.shard = l.shard AND c.pos < l.last))',
            part.relation) INTO needed;
        CONTINUE WHEN needed;
        EXECUTE format('DROP TABLE %s', part.relation);
        DELETE FROM public.event_day d WHERE d.recorded_on = part.day;
        RETURN NEXT part.day;
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION comanda_sequence(integer[], bigint[], integer, date, timestamptz),
    comanda_event_partitions(date), comanda_event_drop(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION comanda_sequence(integer[], bigint[], integer, date, timestamptz),
    comanda_event_partitions(date), comanda_event_drop(date) TO comanda_relay;

RESET ROLE;
