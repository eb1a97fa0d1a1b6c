-- An alternate is kept while somebody asks for it or mails to it, and as long as its address is reserved.

alter table alternate add column last_asked date not null default current_date;
create index alternate_last_asked on alternate (last_asked);

-- Claims to domains that nobody has proved are given up in time.

create index domain_unverified on domain (updated) where not verified;
