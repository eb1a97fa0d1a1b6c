-- Claims to domains that nobody has proved are given up in time.

create index domain_unverified on domain (updated) where not verified;
