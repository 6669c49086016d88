DROP FUNCTION comanda_refresh_family(uuid);
DROP TABLE device;
DROP TABLE refresh_family;
DROP TABLE sector_assignment;
DROP TABLE staff_grant;
DROP TABLE app_user;
