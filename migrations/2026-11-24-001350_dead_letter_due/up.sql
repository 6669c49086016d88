-- What the processor looks for. However many letters wait for a person, it does not read past them.
SET LOCAL ROLE comanda_migrator;

CREATE INDEX dead_letter_due ON dead_letter (first_failed_at, id)
    WHERE state = 'retrying' OR (state = 'pending' AND next_attempt_at IS NOT NULL AND error_class <> 'unknown');
-- How many there are is asked every few seconds, and none is ever deleted.
CREATE INDEX dead_letter_count ON dead_letter (source, state, first_failed_at);

RESET ROLE;
