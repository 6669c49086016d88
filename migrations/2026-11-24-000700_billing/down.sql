SET LOCAL ROLE comanda_migrator;
DROP TABLE check_share, check_split, allocation, tip, payment_cover, payment, charge, guest_check;
RESET ROLE;
