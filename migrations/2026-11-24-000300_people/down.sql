SET LOCAL ROLE comanda_migrator;
DROP TABLE device, refresh_family, sector_assignment, staff_grant, app_user;
RESET ROLE;
