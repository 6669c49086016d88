-- The stage is empty whenever somebody looks at its statistics, and full of what has just been deleted whenever it is
-- read. A plan made then reads the whole heap once for each shard; by the index only what is there is read.
SET LOCAL ROLE comanda_migrator;
ALTER FUNCTION comanda_sequence(integer[], bigint[], integer, date, timestamptz) SET enable_seqscan = off;
RESET ROLE;
