-- Who sent a message, as SPF, DKIM, ARC and DMARC tell: the JSON of core.authentication, null while that
-- was not looked at. It is written once, mostly a moment after the row.
alter table message add column auth text;
