SET LOCAL ROLE comanda_migrator;
DROP INDEX dead_letter_due, dead_letter_count;
RESET ROLE;
