SET LOCAL ROLE comanda_migrator;
DROP INDEX dead_letter_due;
RESET ROLE;
