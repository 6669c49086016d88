DROP TABLE check_share;
DROP TABLE check_split;
DROP TABLE allocation;
DROP TABLE tip;
DROP TABLE payment_cover;
DROP TABLE payment;
DROP TABLE charge;
DROP TABLE guest_check;
