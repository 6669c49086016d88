SET LOCAL ROLE comanda_migrator;
DROP VIEW queue_conservation;
DROP TABLE dead_letter;
RESET ROLE;
