SET LOCAL ROLE comanda_migrator;
ALTER FUNCTION comanda_sequence(integer[], bigint[], integer, date, timestamptz) RESET enable_seqscan;
RESET ROLE;
