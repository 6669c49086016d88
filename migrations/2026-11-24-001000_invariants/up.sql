-- The invariants of a whole session, round or check, which no key or CHECK can state. Each breach is
-- SQLSTATE CM003 with the number of the invariant.
--
-- Rows fire deferred constraint triggers; what they ask for is a check of the object that the row belongs to,
-- once per object and commit. The checks read what the transaction sees: that two transactions cannot pass
-- side by side is the work of the row locks that every operation takes on the session, check or round.
SET LOCAL ROLE comanda_migrator;

CREATE FUNCTION comanda_broken(rule text, object uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', rule USING ERRCODE = 'CM003', DETAIL = object::text;
END
$$;

-- Whether `what` is asked for the first time in this statement. Deferred triggers all run inside COMMIT, when
-- nothing changes any more, so one look at each object is enough however many of its rows changed.
CREATE FUNCTION comanda_first(what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    this_statement text := extract(epoch FROM statement_timestamp())::text || ';';
    seen           text := coalesce(current_setting('comanda.checked', true), '');
BEGIN
    IF NOT starts_with(seen, this_statement) THEN
        seen := this_statement;
    ELSIF strpos(seen, ';' || what || ';') > 0 THEN
        RETURN false;
    END IF;
    PERFORM set_config('comanda.checked', seen || what || ';', true);
    RETURN true;
END
$$;

-- Remembers the row's id until the end of the transaction, in the setting that the trigger names.
CREATE FUNCTION comanda_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config(TG_ARGV[0], coalesce(current_setting(TG_ARGV[0], true), '') || NEW.id || ';', true);
    RETURN NEW;
END
$$;

CREATE FUNCTION comanda_noted(setting text, id uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN strpos(coalesce(current_setting(setting, true), ''), id::text) > 0;


-- Sessions ------------------------------------------------------------------------------------------------

CREATE FUNCTION comanda_check_session(tenant uuid, session uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s record;
BEGIN
    IF NOT comanda_first('session ' || session) THEN
        RETURN;
    END IF;
    SELECT x.id, x.status,
           EXISTS (SELECT FROM guest_check c WHERE c.tenant_id = x.tenant_id AND c.session_id = x.id
                      AND c.settled_at IS NULL AND c.voided_at IS NULL) AS has_check,
           EXISTS (SELECT FROM round r WHERE r.tenant_id = x.tenant_id AND r.session_id = x.id
                      AND r.status = 'pending') AS has_pending,
           EXISTS (SELECT FROM round r WHERE r.tenant_id = x.tenant_id AND r.session_id = x.id
                      AND r.status NOT IN ('served', 'canceled')) AS has_unfinished,
           EXISTS (SELECT FROM service_call c WHERE c.tenant_id = x.tenant_id AND c.session_id = x.id
                      AND c.status IN ('open', 'acked')) AS has_calls,
           EXISTS (SELECT FROM cart_line l WHERE l.tenant_id = x.tenant_id AND l.session_id = x.id) AS has_cart
      INTO s
      FROM table_session x WHERE x.tenant_id = tenant AND x.id = session;
    IF (s.status = 'paying') <> s.has_check THEN
        PERFORM comanda_broken('I9: a session is paying exactly when it has a check neither settled nor void', s.id);
    END IF;
    IF s.status = 'paying' AND s.has_pending THEN
        PERFORM comanda_broken('I10: a paying session has no pending round', s.id);
    END IF;
    IF s.status = 'closed' AND (s.has_unfinished OR s.has_calls OR s.has_cart) THEN
        PERFORM comanda_broken('I11: a closed session has no call, cart line or unfinished round', s.id);
    END IF;
END
$$;

CREATE FUNCTION comanda_session_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'table_session' THEN
        PERFORM comanda_check_session(NEW.tenant_id, NEW.id);
    ELSE
        PERFORM comanda_check_session(NEW.tenant_id, NEW.session_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER session_inserted AFTER INSERT ON table_session DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status <> 'open') EXECUTE FUNCTION comanda_session_changed();
CREATE CONSTRAINT TRIGGER session_moved AFTER UPDATE ON table_session DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status <> OLD.status OR NEW.status = 'closed') EXECUTE FUNCTION comanda_session_changed();
CREATE CONSTRAINT TRIGGER session_check_opened AFTER INSERT ON guest_check DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_session_changed();
CREATE CONSTRAINT TRIGGER session_check_ended AFTER UPDATE ON guest_check DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((NEW.settled_at, NEW.voided_at) IS DISTINCT FROM (OLD.settled_at, OLD.voided_at))
    EXECUTE FUNCTION comanda_session_changed();
CREATE CONSTRAINT TRIGGER session_called AFTER INSERT OR UPDATE ON service_call DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status IN ('open', 'acked')) EXECUTE FUNCTION comanda_session_changed();

CREATE FUNCTION comanda_session_fell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM comanda_broken(CASE
        WHEN NEW.seating < OLD.seating THEN 'I7: a seating never falls'
        WHEN NEW.next_round_number < OLD.next_round_number THEN 'I8: the number of the next round never falls'
        ELSE 'I13: a cart version never falls' END, NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER session_fell AFTER UPDATE ON table_session
    FOR EACH ROW WHEN (NEW.seating < OLD.seating OR NEW.next_round_number < OLD.next_round_number
                       OR NEW.cart_version < OLD.cart_version)
    EXECUTE FUNCTION comanda_session_fell();

-- A cart line asks only whether its session's version was raised: no query per line.
CREATE TRIGGER session_cart_raised BEFORE UPDATE ON table_session
    FOR EACH ROW WHEN (NEW.cart_version > OLD.cart_version) EXECUTE FUNCTION comanda_note('comanda.cart_raised');

CREATE FUNCTION comanda_cart_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    session uuid := coalesce(NEW.session_id, OLD.session_id);
BEGIN
    IF NOT comanda_noted('comanda.cart_raised', session) THEN
        PERFORM comanda_broken('I13: a cart changes together with its version', session);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER cart_changed AFTER INSERT OR UPDATE OR DELETE ON cart_line DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_cart_changed();


-- Rounds and tickets --------------------------------------------------------------------------------------

CREATE FUNCTION comanda_check_round(tenant uuid, the_round uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    IF NOT comanda_first('round ' || the_round) THEN
        RETURN;
    END IF;
    SELECT x.id, x.status, x.submitted_at IS NOT NULL AS submitted, s.status AS session_status,
           EXISTS (SELECT FROM round_item i WHERE i.tenant_id = x.tenant_id AND i.round_id = x.id
                      AND i.voided_qty < i.qty) AS live,
           EXISTS (SELECT FROM kitchen_ticket t WHERE t.tenant_id = x.tenant_id AND t.round_id = x.id) AS ticketed
      INTO r
      FROM round x JOIN table_session s ON s.tenant_id = x.tenant_id AND s.id = x.session_id
     WHERE x.tenant_id = tenant AND x.id = the_round;
    IF r.session_status = 'paying' AND r.status = 'pending' THEN
        PERFORM comanda_broken('I10: a paying session has no pending round', r.id);
    END IF;
    IF r.session_status = 'closed' AND r.status NOT IN ('served', 'canceled') THEN
        PERFORM comanda_broken('I11: a closed session has no unfinished round', r.id);
    END IF;
    IF r.status <> 'served' AND (r.status = 'canceled') = r.live THEN
        PERFORM comanda_broken('I14: a round is canceled exactly when none of its items is live', r.id);
    END IF;
    IF r.ticketed AND NOT r.submitted THEN
        PERFORM comanda_broken('I15: only a submitted round has tickets', r.id);
    END IF;
    IF r.submitted THEN
        PERFORM FROM kitchen_ticket t
          WHERE t.tenant_id = tenant AND t.round_id = the_round
            AND NOT EXISTS (SELECT FROM kitchen_ticket_item k WHERE k.tenant_id = t.tenant_id AND k.ticket_id = t.id);
        IF FOUND THEN
            PERFORM comanda_broken('I15: a ticket has items', r.id);
        END IF;
        PERFORM FROM round_item i
           LEFT JOIN kitchen_ticket_item k ON k.tenant_id = i.tenant_id AND k.round_item_id = i.id
           LEFT JOIN kitchen_ticket t ON t.tenant_id = k.tenant_id AND t.id = k.ticket_id
          WHERE i.tenant_id = tenant AND i.round_id = the_round
            AND CASE WHEN k.id IS NULL THEN i.voided_qty < i.qty
                     ELSE t.round_id <> i.round_id OR t.station <> i.station
                          OR k.qty - k.canceled_qty <> i.qty - i.voided_qty END;
        IF FOUND THEN
            PERFORM comanda_broken(
                'I16: a live item is on one ticket of its round and station, with its live quantity', r.id);
        END IF;
    END IF;
END
$$;

CREATE FUNCTION comanda_round_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    the_round uuid;
BEGIN
    IF TG_TABLE_NAME = 'round' THEN
        the_round := NEW.id;
    ELSIF TG_TABLE_NAME = 'kitchen_ticket_item' THEN
        SELECT i.round_id INTO the_round FROM round_item i WHERE i.tenant_id = NEW.tenant_id AND i.id = NEW.round_item_id;
    ELSE
        the_round := NEW.round_id;
    END IF;
    PERFORM comanda_check_round(NEW.tenant_id, the_round);
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER round_placed AFTER INSERT ON round DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_round_changed();
CREATE CONSTRAINT TRIGGER round_moved AFTER UPDATE ON round DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status <> OLD.status OR NEW.submitted_at IS DISTINCT FROM OLD.submitted_at)
    EXECUTE FUNCTION comanda_round_changed();
CREATE CONSTRAINT TRIGGER round_item_placed AFTER INSERT ON round_item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_round_changed();
CREATE CONSTRAINT TRIGGER round_item_changed AFTER UPDATE ON round_item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((NEW.qty, NEW.voided_qty, NEW.station) IS DISTINCT FROM (OLD.qty, OLD.voided_qty, OLD.station))
    EXECUTE FUNCTION comanda_round_changed();
CREATE CONSTRAINT TRIGGER round_ticketed AFTER INSERT ON kitchen_ticket DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_round_changed();
CREATE CONSTRAINT TRIGGER round_ticket_item_added AFTER INSERT ON kitchen_ticket_item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_round_changed();
CREATE CONSTRAINT TRIGGER round_ticket_item_changed AFTER UPDATE ON kitchen_ticket_item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((NEW.qty, NEW.canceled_qty, NEW.ticket_id, NEW.round_item_id)
                       IS DISTINCT FROM (OLD.qty, OLD.canceled_qty, OLD.ticket_id, OLD.round_item_id))
    EXECUTE FUNCTION comanda_round_changed();


-- Checks --------------------------------------------------------------------------------------------------

CREATE FUNCTION comanda_check_ledger(tenant uuid, the_check uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    IF NOT comanda_first('check ' || the_check) THEN
        RETURN;
    END IF;
    SELECT x.id, x.total_amount, x.paid_amount, x.surplus_amount, x.voided_at,
           x.settled_at IS NULL AND x.voided_at IS NULL AS is_live,
           (SELECT coalesce(sum(h.amount), 0) FROM charge h WHERE h.tenant_id = x.tenant_id AND h.check_id = x.id) AS charged,
           (SELECT coalesce(sum(p.unallocated_amount), 0) FROM payment p
             WHERE p.tenant_id = x.tenant_id AND p.check_id = x.id) AS unallocated,
           (SELECT coalesce(sum(a.amount), 0) FROM payment p
              JOIN allocation a ON a.tenant_id = p.tenant_id AND a.payment_id = p.id
             WHERE p.tenant_id = x.tenant_id AND p.check_id = x.id) AS allocated
      INTO c
      FROM guest_check x WHERE x.tenant_id = tenant AND x.id = the_check;
    IF c.total_amount <> c.charged THEN
        PERFORM comanda_broken('I18: the total of a check is the sum of its charges', c.id);
    END IF;
    IF c.paid_amount <> c.allocated THEN
        PERFORM comanda_broken('I21: what is paid is the sum of the allocations', c.id);
    END IF;
    IF c.surplus_amount <> c.unallocated THEN
        PERFORM comanda_broken('I22: the surplus is the sum of what payments hold unallocated', c.id);
    END IF;

    PERFORM FROM charge h JOIN round_item i ON i.tenant_id = h.tenant_id AND i.id = h.round_item_id
      WHERE h.tenant_id = tenant AND h.check_id = the_check
        AND ((h.released_at IS NULL) <> (c.voided_at IS NULL)
             OR (c.is_live AND h.amount > i.unit_amount * (i.qty - i.voided_qty)));
    IF FOUND THEN
        PERFORM comanda_broken('I18: a charge is at most the price of what is live, and released exactly when void', c.id);
    END IF;

    PERFORM FROM charge h
       LEFT JOIN allocation a ON a.tenant_id = h.tenant_id AND a.charge_id = h.id
      WHERE h.tenant_id = tenant AND h.check_id = the_check
      GROUP BY h.id, h.amount
     HAVING coalesce(sum(a.amount), 0) NOT BETWEEN 0 AND h.amount;
    IF FOUND THEN
        PERFORM comanda_broken('I21: a charge is covered by at least nothing and at most its amount', c.id);
    END IF;
    PERFORM FROM payment p
       JOIN allocation a ON a.tenant_id = p.tenant_id AND a.payment_id = p.id
       JOIN charge h ON h.tenant_id = a.tenant_id AND h.id = a.charge_id
      WHERE p.tenant_id = tenant AND p.check_id = the_check
      GROUP BY p.id, h.id, h.check_id
     HAVING sum(a.amount) < 0 OR h.check_id <> the_check;
    IF FOUND THEN
        PERFORM comanda_broken('I21: a payment covers charges of its own check, and none by less than nothing', c.id);
    END IF;

    PERFORM FROM payment p
       LEFT JOIN allocation a ON a.tenant_id = p.tenant_id AND a.payment_id = p.id
      WHERE p.tenant_id = tenant AND p.check_id = the_check
      GROUP BY p.id, p.status, p.amount, p.unallocated_amount, p.refunded_amount
     HAVING CASE WHEN p.status IN ('approved', 'partially_refunded', 'refunded', 'charged_back')
                 THEN p.amount <> coalesce(sum(a.amount), 0) + p.unallocated_amount + p.refunded_amount
                 ELSE count(a.id) > 0 OR p.unallocated_amount <> 0 OR p.refunded_amount <> 0 END;
    IF FOUND THEN
        PERFORM comanda_broken('I22: a received payment is allocated, unallocated or refunded; others hold nothing', c.id);
    END IF;
    PERFORM FROM payment p LEFT JOIN tip t ON t.tenant_id = p.tenant_id AND t.payment_id = p.id
      WHERE p.tenant_id = tenant AND p.check_id = the_check
        AND (coalesce(t.amount, 0) <> CASE WHEN p.status IN ('approved', 'partially_refunded', 'refunded', 'charged_back')
                                           THEN p.tip_amount ELSE 0 END
             OR t.check_id <> p.check_id);
    IF FOUND THEN
        PERFORM comanda_broken('I26: a received tip has exactly one row, of that amount', c.id);
    END IF;
END
$$;

CREATE FUNCTION comanda_ledger_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    the_check uuid;
BEGIN
    IF TG_TABLE_NAME = 'guest_check' THEN
        the_check := NEW.id;
    ELSIF TG_TABLE_NAME = 'allocation' THEN
        IF NOT comanda_first('payment ' || NEW.payment_id) THEN
            RETURN NULL;
        END IF;
        SELECT p.check_id INTO the_check FROM payment p WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.payment_id;
    ELSIF TG_TABLE_NAME = 'round_item' THEN
        SELECT h.check_id INTO the_check FROM charge h
         WHERE h.tenant_id = NEW.tenant_id AND h.round_item_id = NEW.id AND h.released_at IS NULL;
    ELSE
        the_check := NEW.check_id;
    END IF;
    IF the_check IS NOT NULL THEN
        PERFORM comanda_check_ledger(NEW.tenant_id, the_check);
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER ledger_check_opened AFTER INSERT ON guest_check DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_ledger_changed();
CREATE CONSTRAINT TRIGGER ledger_check_changed AFTER UPDATE ON guest_check DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((NEW.total_amount, NEW.paid_amount, NEW.surplus_amount, NEW.settled_at, NEW.voided_at)
        IS DISTINCT FROM (OLD.total_amount, OLD.paid_amount, OLD.surplus_amount, OLD.settled_at, OLD.voided_at))
    EXECUTE FUNCTION comanda_ledger_changed();
CREATE CONSTRAINT TRIGGER ledger_charge AFTER INSERT OR UPDATE ON charge DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_ledger_changed();
CREATE CONSTRAINT TRIGGER ledger_payment AFTER INSERT OR UPDATE ON payment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_ledger_changed();
CREATE CONSTRAINT TRIGGER ledger_tip AFTER INSERT ON tip DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_ledger_changed();
CREATE CONSTRAINT TRIGGER ledger_allocation AFTER INSERT ON allocation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_ledger_changed();
CREATE CONSTRAINT TRIGGER ledger_item_voided AFTER UPDATE ON round_item DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.voided_qty <> OLD.voided_qty) EXECUTE FUNCTION comanda_ledger_changed();

-- Nothing leads out of settled or void. Charges may still follow in the transaction that ends their check.
CREATE TRIGGER check_ended_at_once BEFORE INSERT ON guest_check
    FOR EACH ROW WHEN (NEW.settled_at IS NOT NULL OR NEW.voided_at IS NOT NULL)
    EXECUTE FUNCTION comanda_note('comanda.checks_ended');
CREATE TRIGGER check_ended BEFORE UPDATE ON guest_check
    FOR EACH ROW WHEN ((NEW.settled_at IS NOT NULL OR NEW.voided_at IS NOT NULL)
                       AND OLD.settled_at IS NULL AND OLD.voided_at IS NULL)
    EXECUTE FUNCTION comanda_note('comanda.checks_ended');

CREATE FUNCTION comanda_check_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM comanda_broken('I30: a settled or void check never changes its total or comes back', NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER check_frozen AFTER UPDATE ON guest_check
    FOR EACH ROW WHEN ((OLD.settled_at IS NOT NULL OR OLD.voided_at IS NOT NULL)
        AND (NEW.total_amount, NEW.settled_at, NEW.voided_at, NEW.business_day)
            IS DISTINCT FROM (OLD.total_amount, OLD.settled_at, OLD.voided_at, OLD.business_day))
    EXECUTE FUNCTION comanda_check_frozen();

CREATE FUNCTION comanda_charge_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    the_check uuid := coalesce(NEW.check_id, OLD.check_id);
BEGIN
    IF comanda_first('charges ' || the_check) AND NOT comanda_noted('comanda.checks_ended', the_check) THEN
        PERFORM FROM guest_check c
          WHERE c.tenant_id = coalesce(NEW.tenant_id, OLD.tenant_id) AND c.id = the_check
            AND (c.settled_at IS NOT NULL OR c.voided_at IS NOT NULL);
        IF FOUND THEN
            PERFORM comanda_broken('I30: charges of a settled or void check never change', the_check);
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER charge_frozen AFTER INSERT OR UPDATE OR DELETE ON charge DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_charge_frozen();

CREATE FUNCTION comanda_split_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF comanda_first('split ' || NEW.check_id || ' ' || NEW.revision) THEN
        PERFORM FROM guest_check c
          WHERE c.tenant_id = NEW.tenant_id AND c.id = NEW.check_id AND c.split_revision = NEW.revision
            AND c.total_amount - c.paid_amount = (
                SELECT sum(s.amount) FROM check_share s
                 WHERE s.tenant_id = c.tenant_id AND s.check_id = c.id AND s.revision = NEW.revision);
        IF NOT FOUND THEN
            PERFORM comanda_broken('I29: the shares of a new split add up to what is due', NEW.check_id);
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER split_made AFTER INSERT ON check_split DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_split_made();
CREATE CONSTRAINT TRIGGER split_shared AFTER INSERT ON check_share DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION comanda_split_made();

RESET ROLE;
